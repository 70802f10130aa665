import type { JobId, JobLimit } from '@headrace/engine'
import { becomeReady, type Due } from './admit.ts'
import { cancelTree, type Endings } from './ending.ts'
import type { Context } from './prepared.ts'

/** A limit's permits are counted in its one row, which is there while a job of its key lives. */

/** The job in the way of a new one that will not wait; undefined when there is room. */
export function inTheWay({ sql }: Context, { key, max }: JobLimit): JobId | undefined {
  const live = sql.get<{ live: number }>('limitLive', key)?.live ?? 0
  return live < max ? undefined : sql.get<{ id: JobId }>('oldestOfLimit', key)?.id
}

/** Cancels the oldest jobs of a key, as many as stand in the way of one more. */
export function makeRoom(context: Context, endings: Endings, { key, max }: JobLimit, by: JobId): void {
  const others = context.sql.all<{ seq: number }>('stayingOfLimit', key)
  for (const { seq } of others.slice(0, Math.max(0, others.length - max + 1)))
    cancelTree(context, endings, seq, `Job ${by} replaced it: its limit ${key} takes ${max}.`)
}

/** A job of this key is stored; the newest one's `max` counts. */
export function countIn({ sql }: Context, endings: Endings, { key, max }: JobLimit): void {
  sql.run('countInLimit', key, max)
  endings.permitWanted(key)
}

/** A job of this key has ended. */
export function countOut({ sql }: Context, endings: Endings, key: string, permit: number): void {
  const left = sql.get<{ live: number }>('countOutLimit', permit, key)?.live
  if (left === 0) sql.run('deleteLimit', key)
  else if (permit === 1) endings.permitWanted(key)
}

/** A job gives its permit back, since it is not due before later. */
export function returnPermit({ sql }: Context, endings: Endings, seq: number, key: string): void {
  sql.run('givePermitBack', seq)
  sql.run('countPermitBack', key)
  endings.permitWanted(key)
}

/** Gives what permits there are to those who wait for them, the most urgent first. */
export function giveOutPermits(context: Context, key: string): void {
  const { sql } = context
  for (;;) {
    const next = sql.get<Pick<Due, 'seq' | 'queue'>>('nextBlocked', key)
    if (next === undefined || sql.run('takePermit', key).changes === 0) return
    sql.run('unblock', next.seq)
    becomeReady(context, next)
  }
}

/** Whether the workflow that a child is attached to, or one above it, is of the same key: it works under that one's permit. */
export function isUnderSameLimit({ sql }: Context, parentSeq: number, key: string): boolean {
  return sql.get('limitAbove', parentSeq, key) !== undefined
}
