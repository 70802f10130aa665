import { artifactNamesIn, type JobId, type Payload, type SignalOutcome, signalTimedOut } from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import type { Changes } from './changes.ts'
import type { Work } from './context.ts'

export type Signal = {
  readonly id: JobId
  readonly name: string
  readonly value: Payload
  readonly key: string | undefined
}

/** Gives a workflow a signal that it waits for, or keeps it until it does. The workflow is locked, as for its own steps. */
export async function sendSignal(work: Work, changes: Changes, signal: Signal): Promise<SignalOutcome> {
  const { tx, hints, ledger, now } = work
  const { id, name, value, key } = signal
  type Target = { readonly seq: number; readonly is_workflow: boolean }
  const job = await tx.row<Target>('signalTarget', id)
  if (job === undefined) return 'unknown_job'
  if (!job.is_workflow) return 'not_a_workflow'
  const live = await tx.row<{ readonly attempt: number }>('lockJob', job.seq)
  if (key !== undefined) {
    const known = await tx.row<{ readonly consumed: boolean }>('signalByKey', job.seq, name, key)
    if (known !== undefined) return known.consumed ? 'delivered' : 'kept'
  }
  if (live === undefined) return 'already_ended'
  const waiting = await tx.row<{ readonly step: number }>('waitingForSignal', job.seq, name)
  tx.later('insertSignal', job.seq, name, key, value, waiting !== undefined, now)
  tx.ask(deleteNotes(artifactNamesIn(value)))
  const data = JSON.stringify({ name })
  const cursors = await ledger.cursors(1)
  tx.later('insertEvents', cursors, [job.seq], ['signal'], [live.attempt], [now], [null], [null], [data])
  hints.events()
  if (waiting === undefined) return 'kept'
  tx.later('receiveSignal', job.seq, waiting.step, value, null)
  changes.release({ seq: job.seq, step: waiting.step, value })
  return 'delivered'
}

/** A new wait for a signal gets the first one of that name that was kept for it. */
export async function takeKeptSignal(
  { tx }: Work,
  changes: Changes,
  wait: { readonly seq: number; readonly step: number; readonly name: string },
): Promise<void> {
  const kept = await tx.row<{ readonly id: number; readonly value: string }>('keptSignal', wait.seq, wait.name)
  if (kept === undefined) return
  tx.later('consumeSignal', kept.id)
  tx.later('receiveSignal', wait.seq, wait.step, kept.value, null)
  changes.release({ seq: wait.seq, step: wait.step, value: kept.value })
}

/** Ends the waits whose time has passed, a bounded number at once. */
export async function endSignalWaits({ tx, now }: Work, changes: Changes): Promise<void> {
  type Wait = { readonly seq: number; readonly step: number; readonly name: string }
  for (const { seq, step, name } of await tx.rows<Wait>('signalsPastDue', now)) {
    const error = signalTimedOut(name)
    tx.later('receiveSignal', seq, step, null, JSON.stringify(error))
    changes.release({ seq, step, error })
  }
}
