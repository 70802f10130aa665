import type { EndState, GroupPolicy } from '@headrace/engine'

/** A step that waits for a group of children. */
export type GroupRow = {
  readonly seq: number
  readonly step: number
  readonly released: boolean
  readonly remaining: number
  readonly policy: GroupPolicy
  readonly ended_by: number | null
}

/** Ended children of one parent's step, counted over a transaction. */
export type Countdown = {
  readonly parentSeq: number
  readonly step: number
  readonly grouped: number
  ended: number
  /** The one that ends a group of policy `fail`: the first that failed, or else the first that was cancelled. */
  failure: { readonly seq: number; readonly state: EndState } | undefined
  /** Places that they leave to the held ones. */
  freed: number
}

/** The group after so many of its children have ended. It is released once, and what ended it never changes. */
export function countDown(group: GroupRow, { ended, failure }: Countdown): GroupRow {
  const remaining = group.remaining - ended
  const failed = group.policy === 'fail' ? failure?.seq : undefined
  return {
    ...group,
    remaining,
    released: group.released || remaining <= 0 || failed !== undefined,
    ended_by: group.policy === 'fail' ? (group.ended_by ?? failed ?? null) : null,
  }
}
