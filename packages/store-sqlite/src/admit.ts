import { askCache } from './cache.ts'
import type { Endings } from './ending.ts'
import type { Context } from './prepared.ts'
import { rankFairly } from './queue-settings.ts'

/** A live job that is due and has its place in its group, as far as what becomes of it depends on that. */
export type Due = {
  readonly seq: number
  readonly queue: string
  readonly limit_key: string | null
  /** 1: it holds a permit of its limit, as one that comes back to the line at once does. */
  readonly permit: number
  readonly cache_key: string | null
}

/**
 * Decides what becomes of a job that is due and has its place, and writes it down: the cache ends it, or it is
 * `following` another job with its key, or it is `blocked` until its limit has a permit for it, or it is `ready`. Whoever
 * makes a job due, of whatever kind, comes here. Its row says `ready` already, so that a job which nothing holds up, and
 * most are so, costs no statement.
 * @param endings those of the transaction: a permit is given out when it is finished, to the most urgent who waits by then
 * @param isBack it was claimed before, and comes back through no fault of its own: in a fair queue it keeps its turn
 */
export function admit(context: Context, endings: Endings, due: Due, isBack = false): void {
  if (due.cache_key !== null && askCache(context, endings, due, due.cache_key)) return
  if (due.limit_key !== null && due.permit === 0) {
    context.sql.run('block', due.seq)
    endings.permitWanted(due.limit_key)
    return
  }
  becomeReady(context, due, isBack)
}

/** It can be claimed from now on. */
export function becomeReady(context: Context, { seq, queue }: Pick<Due, 'seq' | 'queue'>, isBack = false): void {
  rankFairly(context, seq, queue, isBack)
  context.hints.queue(queue)
}
