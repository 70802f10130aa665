import { artifactNamesIn, type JobId, type Payload, type SignalOutcome, signalTimedOut } from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import type { Endings } from './ending.ts'
import type { Context } from './prepared.ts'

export type Signal = {
  readonly id: JobId
  readonly name: string
  readonly value: Payload
  readonly key: string | undefined
}

/** Gives a workflow a signal that it waits for, or keeps it until it does. */
export function sendSignal(context: Context, endings: Endings, { id, name, value, key }: Signal): SignalOutcome {
  const { sql, clock, hints, events } = context
  type Target = { readonly seq: number; readonly kind: string; readonly attempt: number | null }
  const job = sql.get<Target>('signalTarget', id)
  if (job === undefined) return 'unknown_job'
  if (job.kind !== 'workflow') return 'not_a_workflow'
  if (key !== undefined) {
    const known = sql.get<{ consumed: number }>('signalByKey', job.seq, name, key)
    if (known !== undefined) return known.consumed === 1 ? 'delivered' : 'kept'
  }
  if (job.attempt === null) return 'already_ended'
  const now = clock.now()
  const waiting = sql.get<{ step: number }>('waitingForSignal', job.seq, name)
  sql.run('insertSignal', job.seq, name, key ?? null, value, waiting === undefined ? 0 : 1, now)
  deleteNotes(sql, artifactNamesIn(value))
  events.add(job.seq, 'signal', job.attempt, now, JSON.stringify({ name }))
  hints.events()
  if (waiting === undefined) return 'kept'
  sql.run('receiveSignal', value, null, job.seq, waiting.step)
  endings.release({ seq: job.seq, step: waiting.step, value })
  return 'delivered'
}

/** A new wait for a signal gets the first one of that name that was kept for it. */
export function takeKeptSignal(context: Context, endings: Endings, wait: { seq: number; step: number; name: string }) {
  const { sql } = context
  const kept = sql.get<{ id: number; value: string }>('keptSignal', wait.seq, wait.name)
  if (kept === undefined) return
  sql.run('consumeSignal', kept.id)
  sql.run('receiveSignal', kept.value, null, wait.seq, wait.step)
  endings.release({ seq: wait.seq, step: wait.step, value: kept.value })
}

/** Ends the waits whose time has passed, a bounded number at once. */
export function endSignalWaits(context: Context, endings: Endings): void {
  const { sql, clock } = context
  type Wait = { readonly seq: number; readonly step: number; readonly name: string; readonly is_live: number }
  for (const { seq, step, name, is_live } of sql.all<Wait>('signalsPastDue', clock.now())) {
    const error = signalTimedOut(name)
    sql.run('receiveSignal', null, JSON.stringify(error), seq, step)
    if (is_live === 1) endings.release({ seq, step, error })
  }
}
