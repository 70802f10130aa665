import { isEnded, type Job, type JobId } from '../../job/job.ts'
import type { Store } from '../../store/store.ts'
import { checkHistory } from '../history/check-history.ts'
import { readHistory, type StoreHistory, type Witness } from '../history/store-history.ts'
import type { Ledger } from './ledger.ts'
import { expectedAll, expectedWork, type Op, type Work } from './workload.ts'

/** All that the store says after a simulation, and what the simulation itself noted. */
export type Aftermath = {
  readonly store: Store
  readonly history: StoreHistory
  readonly jobs: ReadonlyMap<JobId, Job>
  readonly ledger: Ledger
}

export async function readAftermath(store: Store, ledger: Ledger): Promise<Aftermath> {
  const history = await readHistory(store)
  return { store, history, jobs: new Map(history.jobs.map((job) => [job.id, job])), ledger }
}

/** The promises of DESIGN.md 4.2, from the store's own history. @returns what is broken, in words */
export async function checkPromises(aftermath: Aftermath): Promise<string[]> {
  const { ledger, history } = aftermath
  const broken = [...ledger.violations]
  const say = (text: string) => broken.push(text)
  for (const { rule, what } of checkHistory(history, witnessOf(aftermath))) say(`${rule}: ${what}`)
  await checkBarriers(aftermath, say)
  await checkCancels(aftermath, say)
  checkResults(aftermath, say)
  return broken
}

type Say = (text: string) => void

function witnessOf({ history, ledger }: Aftermath): Witness {
  const groups = Map.groupBy(history.jobs, ({ parentId, step }) => `${parentId} ${step}`)
  const caps = [...ledger.concurrency].map(([name, max]) => {
    return { name: `group ${name}`, max, jobs: new Set(groups.get(name)?.map(({ id }) => id)) }
  })
  const { accepted, effects, released } = ledger
  return { isOver: true, accepted, effects, tasksWithEffects: ['work'], caps, released }
}

/** Once all its children have ended, a step is released. */
async function checkBarriers({ store, history, ledger }: Aftermath, say: Say): Promise<void> {
  for (const { jobId: id, steps: recorded } of history.workflows) {
    const row = ledger.rows.get(id)
    const waits = recorded.filter(({ kind, children }) => kind === 'map' || (kind === 'call' && children.length > 0))
    if (row === undefined || waits.length === 0) continue
    const released = await store.releases(waits.map(({ step }) => ({ row, step })))
    for (const { step, children } of waits) {
      const isPending = children.some(({ state }) => state === 'pending')
      if (!isPending && !released.some((one) => one.step === step)) say(`job ${id}: step ${step} was never released`)
    }
  }
}

/** What was cancelled ends so, and everything below it that had not ended by then. */
async function checkCancels({ jobs, history, ledger }: Aftermath, say: Say): Promise<void> {
  const ends = new Map(history.events.filter(({ kind }) => kind === 'ended').map((event) => [event.jobId, event]))
  for (const { id, cursor } of ledger.cancels) {
    if (jobs.get(id)?.state !== 'cancelled') say(`job ${id} was cancelled, and is ${jobs.get(id)?.state}`)
    const until = await cursor
    for (const job of jobs.values()) {
      const end = ends.get(job.id)
      if (!isWithin(job, id, jobs) || end === undefined || end.cursor <= until) continue
      if (job.state !== 'cancelled')
        say(`job ${job.id} is ${job.state}, though job ${id} above it was cancelled before it ended`)
    }
  }
}

function isWithin(job: Job, top: JobId, jobs: ReadonlyMap<JobId, Job>): boolean {
  for (let at: Job | undefined = job; at !== undefined; at = at.parentId && jobs.get(at.parentId))
    if (at.id === top) return true
  return false
}

/** Who was left alone ended as its program says. */
function checkResults(aftermath: Aftermath, say: Say): void {
  const { jobs, history } = aftermath
  const { inputs, results } = history
  const disturbed = disturbedJobs(aftermath)
  for (const job of jobs.values()) {
    if (!isEnded(job.state)) continue
    if (job.state === 'failed' && job.error.code === 'deadline_exceeded') {
      if (job.deadlineAt === undefined || job.endedAt < job.deadlineAt)
        say(`job ${job.id} failed by a deadline that had not passed`)
      continue
    }
    if (disturbed.has(job.id) || job.state === 'cancelled') continue
    const input = JSON.parse(inputs[job.id] ?? 'null')
    const expected = job.task === 'work' ? expectedWork(input as Work) : expectedAll(input as Op[])
    const got = job.state === 'succeeded' ? results[job.id] : undefined
    const error = job.state === 'failed' ? `${job.error.code}: ${job.error.message}` : ''
    if (got !== JSON.stringify(expected))
      say(`job ${job.id} gave ${got ?? error}, and ${JSON.stringify(expected)} was expected`)
  }
  for (const job of jobs.values()) {
    if (job.state === 'cancelled' && !isExplained(job, aftermath))
      say(`job ${job.id} is cancelled, and nobody cancelled it: ${job.error.message}`)
  }
}

/** Jobs below which something ended otherwise than by its program: they may end in any way. */
function disturbedJobs({ jobs, ledger }: Aftermath): ReadonlySet<JobId> {
  const disturbed = new Set<JobId>()
  const cancelled = new Set(ledger.cancels.map(({ id }) => id))
  for (const job of jobs.values()) {
    const isGivenUp = job.state === 'failed' && ['worker_lost', 'deadline_exceeded'].includes(job.error.code)
    if (!isGivenUp && !cancelled.has(job.id)) continue
    for (let at: Job | undefined = job; at !== undefined; at = at.parentId && jobs.get(at.parentId))
      disturbed.add(at.id)
  }
  return disturbed
}

/** A job is cancelled by somebody, with its workflow, or with the group that failed. */
function isExplained(job: Job, { jobs, ledger }: Aftermath): boolean {
  if (ledger.cancels.some(({ id }) => isWithin(job, id, jobs))) return true
  const parent = job.parentId && jobs.get(job.parentId)
  if (!parent) return false
  if (isEnded(parent.state)) return true
  return [...jobs.values()].some(
    (sibling) => sibling.parentId === parent.id && sibling.step === job.step && sibling.state === 'failed',
  )
}
