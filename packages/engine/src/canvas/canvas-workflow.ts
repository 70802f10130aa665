import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Json } from '../json.ts'
import { type AnyTask, type Workflow, workflow } from '../task/workflow.ts'
import { checkCanvas } from './check.ts'
import type { Canvas, CanvasNode } from './node.ts'
import { runCanvas } from './run.ts'
import { CANVAS_SCHEMA } from './schema.ts'

/** The process that runs a canvas which comes as JSON. */
export const CANVAS_TASK = 'headrace.canvas'

/**
 * The public workflow `headrace.canvas`: its input is a canvas in JSON, checked from end to end before anything is stored. It
 * calls those of the given tasks that are public, and no others.
 * @example
 * const tasks = [land, soil, combine]
 * const engine = createEngine({ store, tasks: [...tasks, canvasWorkflow(tasks)] })
 * await engine.submit('headrace.canvas', { canvas: { chord: [{ call: 'land', input: 1 }, { call: 'soil', input: 1 }], body: { call: 'combine' } } })
 */
export function canvasWorkflow(tasks: Iterable<AnyTask>): Workflow<Canvas, Json> {
  const callable = new Map([...tasks].filter((task) => task.public).map((task) => [task.name, task]))
  return workflow<Canvas, Json>({
    name: CANVAS_TASK,
    title: 'Canvas',
    description: 'Runs other processes as chains, groups, chords, maps and branches, composed in JSON.',
    public: true,
    input: schemaOf(callable),
    run({ canvas }, flow) {
      const all = countJobs(canvas)
      let ended = 0
      const onEnded = () => flow.progress(Math.min(1, ++ended / all), `${Math.min(ended, all)} of ${all} nodes`)
      return runCanvas(flow, canvas, { tasks: callable, path: '/canvas', onEnded })
    },
    async onFailure({ code, message, origin }, { onFailure }, flow) {
      const error = { code, message, ...(origin && { origin }) }
      if (onFailure) await runCanvas(flow, onFailure, { tasks: callable, path: '/onFailure', previous: error, error })
    },
  })
}

function schemaOf(callable: ReadonlyMap<string, AnyTask>): StandardSchemaV1<unknown, Canvas> {
  const described = () => CANVAS_SCHEMA
  const standard = {
    version: 1,
    vendor: 'headrace',
    async validate(value: unknown): Promise<StandardSchemaV1.Result<Canvas>> {
      const checked = await checkCanvas(value, callable)
      return 'issues' in checked ? { issues: checked.issues } : { value: checked.canvas }
    },
    jsonSchema: { input: described, output: described },
  } as const
  return { '~standard': standard }
}

/** How many nodes have jobs of their own. */
export function countJobs(node: CanvasNode): number {
  if ('chain' in node) return sumOf(node.chain)
  if ('group' in node) return sumOf(node.group)
  if ('chord' in node) return sumOf([...node.chord, node.body])
  if ('when' in node) return Math.max(countJobs(node.do), node.else === undefined ? 0 : countJobs(node.else))
  return 1
}

function sumOf(nodes: readonly CanvasNode[]): number {
  return nodes.reduce((sum, node) => sum + countJobs(node), 0)
}
