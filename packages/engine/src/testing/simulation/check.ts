import { isEnded, type Job, type JobId } from '../../job/job.ts'
import type { EventKind, JobEvent, RecordedStep, Store } from '../../store/store.ts'
import type { Ledger } from './ledger.ts'
import { expectedAll, expectedWork, type Op, type Work } from './workload.ts'

/** All that the store says after a simulation, read once. */
export type Aftermath = {
  readonly jobs: ReadonlyMap<JobId, Job>
  readonly events: readonly JobEvent[]
  readonly steps: ReadonlyMap<JobId, readonly RecordedStep[]>
  readonly inputs: ReadonlyMap<JobId, unknown>
  readonly results: ReadonlyMap<JobId, unknown>
}

export async function readAftermath(store: Store): Promise<Aftermath> {
  const jobs = new Map<JobId, Job>()
  let before: string | undefined
  do {
    const page = await store.jobs({}, { limit: 200, ...(before !== undefined && { before }) })
    for (const job of page.jobs) jobs.set(job.id, job)
    before = page.next
  } while (before !== undefined)
  const events: JobEvent[] = []
  for (;;) {
    const page = await store.events({ after: events.at(-1)?.cursor ?? 0, limit: 1_000 })
    events.push(...page)
    if (page.length === 0) break
  }
  const [steps, inputs, results] = [new Map(), new Map(), new Map()]
  for (const { id, kind } of jobs.values()) {
    if (kind === 'workflow') steps.set(id, await store.steps(id))
    inputs.set(id, JSON.parse((await store.input(id)) ?? 'null'))
    results.set(id, JSON.parse((await store.outcome(id))?.result ?? 'null'))
  }
  return { jobs, events, steps, inputs, results }
}

/** The promises of DESIGN.md 4.2, from the store's own history. @returns what is broken, in words */
export async function checkPromises(
  store: Store,
  aftermath: Aftermath,
  ledger: Ledger,
  accepted: ReadonlySet<JobId>,
): Promise<string[]> {
  const broken = [...ledger.violations]
  const say = (text: string) => broken.push(text)
  for (const id of accepted) if (!aftermath.jobs.has(id)) say(`job ${id} was accepted, and is not there`)
  for (const job of aftermath.jobs.values())
    if (!isEnded(job.state)) say(`job ${job.id} (${job.task}) never ended: it is ${job.state}`)
  checkLives(aftermath, say)
  checkDeliveries(aftermath, say)
  checkConcurrency(aftermath, ledger, say)
  await checkBarriers(store, aftermath, ledger, say)
  await checkCancels(aftermath, ledger, say)
  checkResults(aftermath, ledger, say)
  return broken
}

type Say = (text: string) => void

/** What may come next in a job's life. */
const NEXT: Readonly<
  Record<'queued' | 'started' | 'retried' | 'released' | 'parked' | 'ending' | 'lapsed' | 'ended', readonly EventKind[]>
> = {
  queued: ['started', 'ending', 'ended'],
  started: ['retried', 'released', 'parked', 'ending', 'lapsed', 'ended'],
  parked: ['started', 'ending', 'ended'],
  retried: ['started', 'ending', 'ended'],
  released: ['started', 'ending', 'ended'],
  ending: ['started', 'ended'],
  lapsed: ['started', 'ending', 'ended'],
  ended: [],
}

/** Each job is queued once and ends once; each attempt has one owner at a time; nothing is told but by the owner. */
function checkLives({ jobs, events }: Aftermath, say: Say): void {
  const lives = Map.groupBy(events, ({ jobId }) => jobId)
  for (const job of jobs.values()) {
    let last: keyof typeof NEXT | undefined
    let attempt = 0
    for (const event of lives.get(job.id) ?? []) {
      const where = `job ${job.id}: ${event.kind} at cursor ${event.cursor}`
      if (event.kind in NEXT) {
        const kind = event.kind as keyof typeof NEXT
        const isAllowed = last === undefined ? kind === 'queued' : NEXT[last].includes(kind)
        if (!isAllowed) say(`${where} follows ${last ?? 'nothing'}`)
        if (kind === 'started') attempt++
        if (event.attempt !== attempt) say(`${where} is of attempt ${event.attempt}, though ${attempt} have begun`)
        last = kind
      } else if (event.kind === 'cancel-requested' || event.kind === 'step') {
        if (last !== 'started') say(`${where} while the job does not run`)
      } else if (last !== 'started' || event.attempt !== attempt)
        say(`${where} was told by attempt ${event.attempt}, which holds nothing`)
    }
    if (isEnded(job.state) && last !== 'ended') say(`job ${job.id} is ${job.state} without an event that says so`)
  }
}

/** A workflow's code received each outcome at most once, in an order without gaps. */
function checkDeliveries({ steps }: Aftermath, say: Say): void {
  for (const [id, recorded] of steps) {
    const order = recorded.filter((step) => step.delivered.length > 0).sort((a, b) => a.deliveredFrom - b.deliveredFrom)
    let place = 0
    const received = new Set<number>()
    for (const { step, delivered, deliveredFrom } of order) {
      if (deliveredFrom !== place)
        say(`job ${id}: step ${step} says that ${deliveredFrom} outcomes came before, and it was ${place}`)
      place += delivered.length
      for (const one of delivered) {
        if (received.has(one)) say(`job ${id}: the outcome of step ${one} was received twice`)
        received.add(one)
      }
    }
    for (const [index, { step }] of recorded.entries()) {
      if (index > 0 && recorded[index - 1]?.step === step) say(`job ${id}: step ${step} was recorded twice`)
    }
  }
}

/** No more children of a group ran at once than it allowed. */
function checkConcurrency({ jobs, events }: Aftermath, ledger: Ledger, say: Say): void {
  const running = new Map<string, Set<JobId>>()
  for (const { jobId, kind } of events) {
    const job = jobs.get(jobId)
    const key = `${job?.parentId} ${job?.step}`
    const most = ledger.concurrency.get(key)
    if (most === undefined || !(kind in NEXT)) continue
    const now = running.get(key) ?? new Set()
    running.set(key, now)
    if (kind === 'started') now.add(jobId)
    else now.delete(jobId)
    if (now.size > most) say(`job ${job?.parentId}: ${now.size} children of step ${job?.step} ran at once, not ${most}`)
  }
}

/** Once all its children have ended, a step is released. */
async function checkBarriers(store: Store, { steps }: Aftermath, ledger: Ledger, say: Say): Promise<void> {
  for (const [id, recorded] of steps) {
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
async function checkCancels({ jobs, events }: Aftermath, ledger: Ledger, say: Say): Promise<void> {
  const ends = new Map(events.filter(({ kind }) => kind === 'ended').map((event) => [event.jobId, event]))
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
function checkResults(aftermath: Aftermath, ledger: Ledger, say: Say): void {
  const { jobs, inputs, results } = aftermath
  const disturbed = disturbedJobs(aftermath, ledger)
  for (const job of jobs.values()) {
    if (!isEnded(job.state)) continue
    if (job.state === 'failed' && job.error.code === 'deadline_exceeded') {
      if (job.deadlineAt === undefined || job.endedAt < job.deadlineAt)
        say(`job ${job.id} failed by a deadline that had not passed`)
      continue
    }
    if (disturbed.has(job.id) || job.state === 'cancelled') continue
    const input = inputs.get(job.id)
    const expected = job.task === 'work' ? expectedWork(input as Work) : expectedAll(input as Op[])
    const got = job.state === 'succeeded' ? JSON.stringify(results.get(job.id)) : undefined
    const error = job.state === 'failed' ? `${job.error.code}: ${job.error.message}` : ''
    if (got !== JSON.stringify(expected))
      say(`job ${job.id} gave ${got ?? error}, and ${JSON.stringify(expected)} was expected`)
  }
  for (const job of jobs.values()) {
    if (job.state === 'cancelled' && !isExplained(job, aftermath, ledger))
      say(`job ${job.id} is cancelled, and nobody cancelled it: ${job.error.message}`)
  }
}

/** Jobs below which something ended otherwise than by its program: they may end in any way. */
function disturbedJobs({ jobs }: Aftermath, ledger: Ledger): ReadonlySet<JobId> {
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
function isExplained(job: Job, { jobs }: Aftermath, ledger: Ledger): boolean {
  if (ledger.cancels.some(({ id }) => isWithin(job, id, jobs))) return true
  const parent = job.parentId && jobs.get(job.parentId)
  if (!parent) return false
  if (isEnded(parent.state)) return true
  return [...jobs.values()].some(
    (sibling) => sibling.parentId === parent.id && sibling.step === job.step && sibling.state === 'failed',
  )
}
