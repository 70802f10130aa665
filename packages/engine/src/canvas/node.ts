import type { Json } from '../json.ts'
import type { AnyTask } from '../task/workflow.ts'

/** `fail`: the first failure ends all of it. `collect`: all run to their end, and each outcome is given. */
export type FailurePolicy = 'fail' | 'collect'

/** Stands for an earlier result: `a` that of the node with this id, `a/counts/0` a part of it (RFC 6901). */
export type Ref = { readonly $ref: string }

/** JSON, and references anywhere inside it. `{ "$literal": … }` gives what is in it as it is. */
export type CanvasValue = Json | Ref | readonly CanvasValue[] | { readonly [key: string]: CanvasValue }

export type Condition =
  | Ref
  | boolean
  | { readonly equals: readonly [CanvasValue, CanvasValue] }
  | { readonly greater: readonly [CanvasValue, CanvasValue] }
  | { readonly less: readonly [CanvasValue, CanvasValue] }
  | { readonly not: Condition }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }

type Named = { readonly id?: string }
/** What each job of a node is given besides its input. */
export type JobWishes = { readonly priority?: number; readonly delayMs?: number; readonly deadlineMs?: number }
type Spread = Named & JobWishes & { readonly onFailure?: FailurePolicy; readonly concurrency?: number }
/** In JSON the name of a public task; in a program the task itself just as well. */
type TaskName = string | AnyTask

/** One job. Without an input it is given the result before it. */
export type CallNode = Named & JobWishes & { readonly call: TaskName; readonly input?: CanvasValue }
/** One after the other; its result is the last one's. */
export type ChainNode = Named & { readonly chain: readonly CanvasNode[] }
/** All at once; its result is the list of theirs. */
export type GroupNode = Named & { readonly group: readonly CanvasNode[]; readonly onFailure?: FailurePolicy }
/** All at once, and `body` with the list of their results. */
export type ChordNode = Named & {
  readonly chord: readonly CanvasNode[]
  readonly body: CanvasNode
  readonly onFailure?: FailurePolicy
}
/** A job for each item of a list. Its input is the item, or what `input` makes of it: `{ "$ref": "item" }`. */
export type MapNode = Spread & { readonly map: TaskName; readonly over: CanvasValue; readonly input?: CanvasValue }
/** A job for every `size` items of a list, which is given those as a list. */
export type ChunksNode = Spread & { readonly chunks: TaskName; readonly over: CanvasValue; readonly size: number }
/** One of two ways. Without `else`, and when it does not hold, its result is null. */
export type WhenNode = Named & { readonly when: Condition; readonly do: CanvasNode; readonly else?: CanvasNode }

export type CanvasNode = CallNode | ChainNode | GroupNode | ChordNode | MapNode | ChunksNode | WhenNode

/** What is submitted. `onFailure` is run once when the canvas fails, from whatever depth; `{ "$ref": "error" }` is why. */
export type Canvas = { readonly canvas: CanvasNode; readonly onFailure?: CanvasNode }

type GroupOptions = Named & { readonly onFailure?: FailurePolicy }

/** An earlier result, or a part of it. @example ref('survey/classes/0') */
export function ref(to: string): Ref {
  return { $ref: to }
}

/** One job. Without an input it is given the result before it. @example call(double, 21, { id: 'a' }) */
export function call(task: TaskName, input?: CanvasValue, options: Named & JobWishes = {}): CallNode {
  return { ...options, call: task, ...(input !== undefined && { input }) }
}

/** One after the other, each given the result of the one before. @example chain([call(double, 1), call(double)]) */
export function chain(nodes: readonly CanvasNode[], options: Named = {}): ChainNode {
  return { ...options, chain: nodes }
}

/** All at once. @example group([call(land, area), call(soil, area)], { onFailure: 'collect' }) */
export function group(nodes: readonly CanvasNode[], options: GroupOptions = {}): GroupNode {
  return { ...options, group: nodes }
}

/** All at once, and then one with the list of their results. @example chord([call(land), call(soil)], call(combine)) */
export function chord(nodes: readonly CanvasNode[], body: CanvasNode, options: GroupOptions = {}): ChordNode {
  return { ...options, chord: nodes, body }
}

/** A job for each item. @example map(renderTile, ref('tiles'), { concurrency: 8 }) */
export function map(task: TaskName, over: CanvasValue, options: Omit<MapNode, 'map' | 'over'> = {}): MapNode {
  return { ...options, map: task, over }
}

/** A job for every `size` items. @example chunks(countWords, pages, 100) */
export function chunks(
  task: TaskName,
  over: CanvasValue,
  size: number,
  options: Omit<ChunksNode, 'chunks' | 'over' | 'size'> = {},
): ChunksNode {
  return { ...options, chunks: task, over, size }
}

/** One of two ways. @example when({ greater: [ref('area/km2'), 100] }, call(coarse), call(fine)) */
export function when(condition: Condition, then: CanvasNode, otherwise?: CanvasNode, options: Named = {}): WhenNode {
  return { ...options, when: condition, do: then, ...(otherwise && { else: otherwise }) }
}
