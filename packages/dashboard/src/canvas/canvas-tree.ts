import type { JobState, Json, StatusInfo } from '@headrace/wire'

/** A node of a canvas with how its jobs stand. */
export type CanvasBranch = {
  /** Its place in the canvas, as a JSON pointer. */
  readonly path: string
  readonly label: string
  /** What kind of node it is, in words. */
  readonly kind: string
  /** Undefined while nothing of it was begun. */
  readonly state: JobState | undefined
  /** Of its own jobs, those below it left out. */
  readonly jobs: readonly StatusInfo[]
  readonly children: readonly CanvasBranch[]
}

type Fields = { readonly [key: string]: Json }

/** What a canvas consists of. @param jobs the children of its job, each with the tag of its node */
export function canvasTree(inputs: Json, jobs: readonly StatusInfo[]): readonly CanvasBranch[] {
  if (!isFields(inputs)) return []
  const byPath = Map.groupBy(jobs, ({ tags }) => tags.find((tag) => tag.startsWith(TAG))?.slice(TAG.length) ?? '')
  return ['canvas', 'onFailure'].flatMap((key) => {
    const branch = branchOf(inputs[key], `/${key}`, byPath)
    if (branch === undefined) return []
    if (key === 'canvas') return [branch]
    return [{ ...branch, kind: ['if it fails', branch.kind].filter((text) => text !== '').join(', ') }]
  })
}

const TAG = 'canvas:'

type ByPath = ReadonlyMap<string, readonly StatusInfo[]>

function branchOf(node: Json | undefined, path: string, byPath: ByPath): CanvasBranch | undefined {
  if (!isFields(node)) return undefined
  const jobs = byPath.get(path) ?? []
  const children = membersOf(node).flatMap(([under, member]) => branchOf(member, `${path}/${under}`, byPath) ?? [])
  const { kind, task } = describe(node)
  const id = typeof node.id === 'string' ? node.id : undefined
  const states = [...jobs.map((job) => job.state), ...children.map((child) => child.state)]
  return {
    path,
    label: id ?? task ?? kind,
    kind: id === undefined && task === undefined ? '' : kindBeside(kind, id, task),
    state: together(states, jobs.length > 0),
    jobs,
    children,
  }
}

function kindBeside(kind: string, id: string | undefined, task: string | undefined): string {
  return id !== undefined && task !== undefined ? `${kind} ${task}`.trim() : kind
}

function describe(node: Fields): { readonly kind: string; readonly task?: string } {
  const collects = node.onFailure === 'collect' ? ', collects failures' : ''
  if (typeof node.call === 'string') return { kind: '', task: node.call }
  if (typeof node.map === 'string') return { kind: `for each item${collects}`, task: node.map }
  if (typeof node.chunks === 'string') return { kind: `for every ${node.size} items${collects}`, task: node.chunks }
  if (Array.isArray(node.chain)) return { kind: 'one after the other' }
  if (Array.isArray(node.group)) return { kind: `all at once${collects}` }
  if (Array.isArray(node.chord)) return { kind: `all at once, then the body${collects}` }
  return { kind: 'one of two ways' }
}

function membersOf(node: Fields): readonly (readonly [string, Json | undefined])[] {
  const listed = ['chain', 'group', 'chord'].flatMap((key) => {
    const nodes = node[key]
    return Array.isArray(nodes) ? nodes.map((one: Json, at: number) => [`${key}/${at}`, one] as const) : []
  })
  const single = ['body', 'do', 'else'].flatMap((key) => (node[key] === undefined ? [] : [[key, node[key]] as const]))
  return [...listed, ...single]
}

/** Of several, the one that matters most. Of parts that have not begun nobody knows whether they will. */
function together(states: readonly (JobState | undefined)[], isOwn: boolean): JobState | undefined {
  const known = states.filter((state) => state !== undefined)
  if (known.length === 0) return undefined
  for (const state of ['failed', 'running', 'waiting', 'cancelled'] as const) if (known.includes(state)) return state
  return isOwn || known.length === states.length ? 'succeeded' : 'running'
}

function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
