import type { Context } from './context.ts'

/** Jobs of these lanes have become ready. A lane that another process has just made is told of by that one. */
export function hintAtPromoted({ hints, lanes }: Context, rows: readonly { readonly lane: number }[]): void {
  for (const { lane } of rows) {
    const queue = lanes.queueOf(lane)
    if (queue !== undefined) hints.queue(queue)
  }
}
