import { artifactNamesIn, type JobId, type Payload, type SignalOutcome, signalTimedOut } from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import type { Endings } from './ending.ts'
import { addEvent, type Context, keptJobs, liveJobs, type StoredJob, type StoredStep } from './place.ts'

type Signal = { readonly id: JobId; readonly name: string; readonly value: Payload; readonly key: string | undefined }

/** Gives a workflow a signal that it waits for, or keeps it until it does. */
export function sendSignal(context: Context, endings: Endings, { id, ...sent }: Signal): SignalOutcome {
  const job = context.place.byId.get(id)
  if (job === undefined) return 'unknown_job'
  if (job.job.kind !== 'workflow') return 'not_a_workflow'
  const known = job.signals.find(({ name, key }) => key !== undefined && key === sent.key && name === sent.name)
  if (known !== undefined) return known.isConsumed ? 'delivered' : 'kept'
  if (job.live === undefined) return 'already_ended'
  const signal = { ...sent, isConsumed: false }
  job.signals.push(signal)
  deleteNotes(context, artifactNamesIn(sent.value))
  addEvent(context, job, 'signal', job.attempt, context.clock.now(), { name: sent.name })
  const waiting = waits(job).find(({ recorded }) => recorded.name === sent.name)
  if (waiting === undefined) return 'kept'
  signal.isConsumed = true
  endings.receive(job, waiting, { value: sent.value })
  return 'delivered'
}

/** A new wait for a signal gets the first one of that name that was kept for it. */
export function takeKeptSignal(endings: Endings, job: StoredJob, wait: StoredStep): void {
  const kept = job.signals.find(({ name, isConsumed }) => name === wait.recorded.name && !isConsumed)
  if (kept === undefined) return
  kept.isConsumed = true
  endings.receive(job, wait, { value: kept.value })
}

/** Ends the waits whose time has passed, those of ended workflows too: nobody hears of them. */
export function endSignalWaits(context: Context, endings: Endings): void {
  const now = context.clock.now()
  for (const job of keptJobs(context.place)) {
    for (const wait of waits(job)) {
      const { name, dueAt } = wait.recorded
      if (dueAt === undefined || dueAt > now) continue
      const error = signalTimedOut(name)
      if (job.live !== undefined) endings.receive(job, wait, { error })
      else Object.assign(wait, { isReleased: true, recorded: { ...wait.recorded, error } })
    }
  }
}

/** When the next wait for a signal is given up. */
export function nextSignalDue({ place }: Context): number {
  const dueAts = liveJobs(place).flatMap((job) => waits(job).flatMap(({ recorded }) => recorded.dueAt ?? []))
  return Math.min(Number.POSITIVE_INFINITY, ...dueAts)
}

/** The steps that wait for a signal, in step order. */
function waits({ steps }: StoredJob): StoredStep[] {
  const waiting = [...steps.values()].filter(({ recorded, isReleased }) => recorded.kind === 'signal' && !isReleased)
  return waiting.sort((a, b) => a.recorded.step - b.recorded.step)
}
