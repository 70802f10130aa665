import { CanvasUnresolvedError, UnknownTaskError } from '../errors.ts'
import type { CallOptions, Flow } from '../flow/flow.ts'
import type { RecordedError } from '../job/job.ts'
import type { Json } from '../json.ts'
import type { AnyTask } from '../task/workflow.ts'
import type {
  CallNode,
  CanvasNode,
  CanvasValue,
  ChunksNode,
  FailurePolicy,
  JobWishes,
  MapNode,
  WhenNode,
} from './node.ts'
import { holds, resolve } from './resolve.ts'

/** A list that a reference leads to may be long; what is written out is limited by the check. */
export const ITEMS_MAX = 10_000

export type RunOptions = {
  /** By name, for nodes that name a task instead of bringing it. */
  readonly tasks?: ReadonlyMap<string, AnyTask>
  /** What the first node is given as the result before it. */
  readonly previous?: Json
  /** What `{ "$ref": "error" }` leads to. */
  readonly error?: Json
  /** Where the node stands, as a JSON pointer; the tags of jobs begin with it. Default: empty. */
  readonly path?: string
  /** Told each time that the jobs of a node have ended. */
  readonly onEnded?: () => void
}

/** How one that is not to end a group ended. */
export type Collected =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string; readonly origin?: Json } }

/**
 * Runs a canvas as steps of a workflow. Each job carries the tag `canvas:` and the place of its node in the canvas.
 * @returns the result of the outermost node
 * @throws {TaskFailedError} what a job threw; {CanvasUnresolvedError} when a reference leads nowhere
 * @example workflow({ name: 'survey', run: (area: Area, flow) => runCanvas(flow, chord([call(land, area), call(soil, area)], call(combine))) })
 */
export async function runCanvas(flow: Flow, node: CanvasNode, options: RunOptions = {}): Promise<Json> {
  const known = new Map<string, Json>()
  if (options.previous !== undefined) known.set('previous', options.previous)
  if (options.error !== undefined) known.set('error', options.error)
  return new CanvasRun(flow, options).run(node, { known, path: options.path ?? '', branch: new Branch() })
}

/** A part that may fail by itself: of a failed one, nothing more is begun. */
class Branch {
  readonly #above: Branch | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(above?: Branch) {
    this.#above = above
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#above?.throwIfFailed()
  }
}

type Place = {
  /** Results by id, and `previous`. Ids are shared by the whole canvas; the check sees to it that they are there. */
  readonly known: Map<string, Json>
  readonly path: string
  readonly branch: Branch
}

class CanvasRun {
  readonly #flow: Flow
  readonly #options: RunOptions
  readonly #ids = new Map<string, Json>()

  constructor(flow: Flow, options: RunOptions) {
    this.#flow = flow
    this.#options = options
  }

  async run(node: CanvasNode, place: Place): Promise<Json> {
    const result = await this.#result(node, place)
    if (node.id !== undefined) this.#ids.set(node.id, result)
    return result
  }

  #result(node: CanvasNode, place: Place): Promise<Json> {
    if ('call' in node) return this.#call(node, place)
    if ('chain' in node) return this.#chain(node.chain, place)
    if ('group' in node) return this.#group(node.group, below(place, 'group'), node.onFailure)
    if ('chord' in node) return this.#chord(node, place)
    if ('map' in node) return this.#map(node, place)
    if ('chunks' in node) return this.#chunks(node, place)
    return this.#when(node, place)
  }

  async #call(node: CallNode, place: Place): Promise<Json> {
    place.branch.throwIfFailed()
    const task = this.#task(node.call)
    const { input = { $ref: 'previous' } } = node
    const isGiven = node.input !== undefined || place.known.has('previous')
    const value = isGiven ? resolve(input, this.#knownIn(place)) : null
    const result = (await this.#flow.call(task, value, wishesOf(node, place))) as Json // sound: results are JSON
    this.#options.onEnded?.()
    return result
  }

  async #chain(nodes: readonly CanvasNode[], place: Place): Promise<Json> {
    let previous = place.known.get('previous')
    for (const [at, node] of nodes.entries()) previous = await this.run(node, below(place, 'chain', at, previous))
    return previous ?? null
  }

  /** @param place where its members are */
  async #group(nodes: readonly CanvasNode[], place: Place, policy: FailurePolicy = 'fail'): Promise<Json[]> {
    const members = nodes.map((node, at) => this.#member(node, policy, below(place, at)))
    return this.#flow.all(members)
  }

  async #member(node: CanvasNode, policy: FailurePolicy, place: Place): Promise<Json> {
    const { branch } = place
    if (policy === 'fail') {
      return this.run(node, place).catch((error) => {
        branch.fail(error)
        throw error
      })
    }
    const own = new Branch(branch)
    try {
      return { ok: true, value: await this.run(node, { ...place, branch: own }) }
    } catch (error) {
      own.fail(error)
      branch.throwIfFailed()
      return { ok: false, error: toCollected(error) }
    }
  }

  async #chord(node: Extract<CanvasNode, { chord: unknown }>, place: Place): Promise<Json> {
    const results = await this.#group(node.chord, below(place, 'chord'), node.onFailure)
    return this.run(node.body, below(place, 'body', undefined, results))
  }

  async #map(node: MapNode, place: Place): Promise<Json> {
    const { input = { $ref: 'item' } } = node
    const known = this.#knownIn(place)
    const items = listOf(node.over, known)
    const inputs = items.map((item) => resolve(input, new Map([...known, ['item', item]])))
    return this.#spread(this.#task(node.map), inputs, node, place)
  }

  async #chunks(node: ChunksNode, place: Place): Promise<Json> {
    const items = listOf(node.over, this.#knownIn(place))
    const inputs: Json[] = []
    for (let at = 0; at < items.length; at += node.size) inputs.push(items.slice(at, at + node.size))
    return this.#spread(this.#task(node.chunks), inputs, node, place)
  }

  async #spread(task: AnyTask, inputs: readonly Json[], node: MapNode | ChunksNode, place: Place): Promise<Json> {
    place.branch.throwIfFailed()
    const options = {
      ...wishesOf(node, place),
      ...(node.concurrency !== undefined && { concurrency: node.concurrency }),
    }
    const results =
      node.onFailure === 'collect'
        ? (await this.#flow.map(task, inputs, { ...options, onFailure: 'collect' })).map((outcome) =>
            outcome.ok ? { ok: true, value: outcome.value as Json } : { ok: false, error: toCollected(outcome.error) },
          )
        : await this.#flow.map(task, inputs, options)
    this.#options.onEnded?.()
    return results as Json // sound: results are JSON
  }

  async #when(node: WhenNode, place: Place): Promise<Json> {
    const isSo = holds(node.when, this.#knownIn(place))
    const way = isSo ? node.do : node.else
    return way === undefined ? null : this.run(way, below(place, isSo ? 'do' : 'else'))
  }

  #knownIn(place: Place): ReadonlyMap<string, Json> {
    return new Map([...this.#ids, ...place.known])
  }

  #task(task: string | AnyTask): AnyTask {
    if (typeof task !== 'string') return task
    const { tasks = new Map<string, AnyTask>() } = this.#options
    const known = tasks.get(task)
    if (known === undefined) throw new UnknownTaskError(task, [...tasks.keys()])
    return known
  }
}

/** One further down. @param previous what is given to it instead of what is given to this one */
function below({ known, path, branch }: Place, ...[name, at, previous]: [string | number, number?, Json?]): Place {
  const under = `${path}/${name}${at === undefined ? '' : `/${at}`}`
  return { path: under, branch, known: previous === undefined ? known : new Map(known).set('previous', previous) }
}

function wishesOf({ priority, delayMs, deadlineMs }: JobWishes, { path }: Place): CallOptions {
  return {
    tags: [tagOfNode(path)],
    ...(priority !== undefined && { priority }),
    ...(delayMs !== undefined && { delayMs }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  }
}

/** By this tag the jobs of a node are found among the children. */
export function tagOfNode(path: string): string {
  return `canvas:${path}`
}

function listOf(over: CanvasValue, known: ReadonlyMap<string, Json>): readonly Json[] {
  const items = resolve(over, known)
  if (!Array.isArray(items)) throw new CanvasUnresolvedError('what it is to run over is no list')
  if (items.length > ITEMS_MAX)
    throw new CanvasUnresolvedError(
      `the list that it is to run over has ${items.length} items, of at most ${ITEMS_MAX}`,
    )
  return items as readonly Json[]
}

function toCollected(error: unknown): { code: string; message: string; origin?: Json } {
  const recorded = (error as { readonly error?: RecordedError }).error
  if (recorded !== undefined) {
    const { code, message, origin } = recorded
    return { code, message, ...(origin && { origin }) }
  }
  const { code = 'task_threw', message } = error as Error & { readonly code?: string }
  return { code, message }
}
