import { isDeepStrictEqual } from 'node:util'
import type { Job, JobId, Json } from '@headrace/engine'
import {
  type Breach,
  type Cap,
  checkHistory,
  NO_WITNESS,
  type StoreHistory,
  type Witness,
} from '@headrace/engine/testing'
import type { Note } from './ledger.ts'
import { PAUSED_QUEUE, type Pause } from './pauses.ts'
import { expectedResult } from './workload/expected.ts'
import { EXCLUSIVE_MAX, LIMIT_MAX, NEWEST_MAX } from './workload/tasks.ts'

export type Finding = Breach | { readonly rule: 'result' | 'pause-kept'; readonly what: string }

/** What of a round was not as it was promised, from the store's history and from what its processes noted. */
export function checkRound(history: StoreHistory, notes: readonly Note[], pauses: readonly Pause[] = []): Finding[] {
  return [
    ...checkHistory(history, witnessOf(history, notes)),
    ...checkResults(history, notes),
    ...checkUndone(history, notes),
    ...checkPauses(history, pauses),
  ]
}

function witnessOf(history: StoreHistory, notes: readonly Note[]): Witness {
  return {
    ...NO_WITNESS,
    accepted: notes.filter((line) => line.kind === 'accepted'),
    effects: notes.filter((line) => line.kind === 'effect'),
    tasksWithEffects: ['work', 'limited', 'exclusive', 'newest'],
    caps: capsOf(history),
  }
}

function capsOf({ jobs, inputs }: StoreHistory): Cap[] {
  const ids = (chosen: readonly Job[]) => new Set(chosen.map(({ id }) => id))
  const of = (name: string) => jobs.filter(({ task }) => task === name)
  const cached = Map.groupBy(of('cached'), ({ id }) => inputs[id])
  const groups = Map.groupBy(jobs, ({ parentId }) => parentId)
  const sums = jobs.filter(({ task }) => task === 'sum')
  return [
    { name: 'the limit that waits', max: LIMIT_MAX, jobs: ids(of('limited')) },
    { name: 'the limit that refuses', max: EXCLUSIVE_MAX, jobs: ids(of('exclusive')) },
    { name: 'the limit that replaces', max: NEWEST_MAX, jobs: ids(of('newest')) },
    ...[...cached].map(([input, same]) => ({ name: `the result of ${input}`, max: 1, jobs: ids(same) })),
    ...sums.map(({ id }) => {
      const { concurrency } = JSON.parse(inputs[id] ?? '{}') as { readonly concurrency: number }
      return { name: `the group of job ${id}`, max: concurrency, jobs: ids(groups.get(id) ?? []) }
    }),
  ]
}

/** Who was not given up on gave what was asked for. */
function checkResults(history: StoreHistory, notes: readonly Note[]): Finding[] {
  const givenUp = givenUpRoots(history)
  const jobs = new Map(history.jobs.map((job) => [job.id, job]))
  return notes.flatMap((line): Finding[] => {
    const job = line.kind === 'accepted' ? jobs.get(line.id) : undefined
    if (line.kind !== 'accepted' || job === undefined || givenUp.has(job.id) || wasReplaced(job)) return []
    const expected = expectedResult(line.request)
    const result = history.results[job.id]
    const got = result === undefined ? undefined : (JSON.parse(result) as Json)
    if (isDeepStrictEqual(got, expected)) return []
    const what = `job ${job.id} (${job.task}) is ${job.state} with ${result}, and ${JSON.stringify(expected)} was expected`
    return [{ rule: 'result', what }]
  })
}

function wasReplaced(job: Job): boolean {
  return job.task === 'newest' && job.state === 'cancelled' && job.error.message.includes(' replaced it')
}

/** No job of a paused queue began. */
function checkPauses({ jobs, events }: StoreHistory, pauses: readonly Pause[]): Finding[] {
  const own = new Set(jobs.filter(({ queue }) => queue === PAUSED_QUEUE).map(({ id }) => id))
  return events.flatMap(({ jobId, kind, at, cursor }): Finding[] => {
    const isIn = ({ fromAt, toAt }: Pause) => at > fromAt && at < toAt
    if (kind !== 'started' || !own.has(jobId) || !pauses.some(isIn)) return []
    return [{ rule: 'pause-kept', what: `job ${jobId} began at ${at} (cursor ${cursor}), while its queue was paused` }]
  })
}

/** Roots of trees in which a job lost too many workers in a row, and so failed. */
export function givenUpRoots({ jobs }: StoreHistory): ReadonlySet<JobId> {
  const lost = jobs.filter((job) => job.state === 'failed' && job.error.code === 'poison_job')
  return new Set(lost.map(({ rootId }) => rootId))
}

/** What a failed workflow had begun was undone. */
function checkUndone({ jobs, workflows }: StoreHistory, notes: readonly Note[]): Finding[] {
  const undone = new Set(notes.flatMap((line) => (line.kind === 'undone' ? [line.jobId] : [])))
  const failed = new Set(jobs.flatMap(({ id, state }) => (state === 'failed' ? [id] : [])))
  return workflows.flatMap(({ jobId, steps }): Finding[] => {
    const toUndo = steps.find(({ compensates, error }) => compensates === true && error === undefined)
    if (toUndo === undefined || !failed.has(jobId) || undone.has(jobId)) return []
    return [{ rule: 'result', what: `job ${jobId} failed, and its step ${toUndo.name} was not undone` }]
  })
}
