import type { Context } from './context.ts'
import type { AskingRow } from './notes.ts'

/** A job that was made due. */
export type DueRow = AskingRow & { readonly lane: number }

/** Those that must ask first are noted. @returns those that are ready, of which everybody is to know */
export function noteAsking({ notes }: Context, rows: readonly DueRow[]): readonly DueRow[] {
  const ready: DueRow[] = []
  for (const row of rows) {
    if (row.limit_key !== null) notes.limit(row.limit_key)
    else if (row.cache_key !== null) notes.cache(row.cache_key)
    else ready.push(row)
  }
  return ready
}

/** Jobs of these lanes have become ready. A lane that another process has just made is told of by that one. */
export function hintAtPromoted({ hints, lanes }: Context, rows: readonly { readonly lane: number }[]): void {
  for (const { lane } of rows) {
    const queue = lanes.queueOf(lane)
    if (queue !== undefined) hints.queue(queue)
  }
}
