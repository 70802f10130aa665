import { isEnded, type Job, type JobId } from '../../job/job.ts'
import { LAPSES_MAX, SESSION_OVER } from '../../job/transition.ts'
import type { Store } from '../../store/store.ts'
import { checkHistory } from '../history/check-history.ts'
import { readHistory, type StoreHistory, type Witness } from '../history/store-history.ts'
import type { Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'
import { expectedOf, LIMIT_MAX } from './program.ts'
import { ON_FAILURE } from './tasks.ts'

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
export async function checkPromises(aftermath: Aftermath, plan: Plan): Promise<string[]> {
  const { ledger, history } = aftermath
  const broken = [...ledger.violations]
  const say = (text: string) => broken.push(text)
  for (const { rule, what } of checkHistory(history, witnessOf(aftermath))) say(`${rule}: ${what}`)
  await checkBarriers(aftermath, (text) => say(`barrier-once: ${text}`))
  await checkCancels(aftermath, (text) => say(`cancel-holds: ${text}`))
  checkResults(aftermath, plan, (text) => say(`result-right: ${text}`))
  checkCleaningUp(aftermath, (text) => say(`cleaned-up: ${text}`))
  checkSchedule(aftermath, (text) => say(`fired-once: ${text}`))
  return broken
}

type Say = (text: string) => void

function witnessOf({ history, ledger }: Aftermath): Witness {
  const groups = Map.groupBy(history.jobs, ({ parentId, step }) => `${parentId} ${step}`)
  const caps = [...ledger.concurrency].map(([name, max]) => {
    return { name: `group ${name}`, max, jobs: new Set(groups.get(name)?.map(({ id }) => id)) }
  })
  const limited = Map.groupBy(
    history.jobs.filter(({ task }) => task === 'limited'),
    ({ limit }) => limit?.key ?? '',
  )
  for (const [name, jobs] of limited)
    caps.push({ name: `limit ${name}`, max: LIMIT_MAX, jobs: new Set(jobs.map(({ id }) => id)) })
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
  const endings = new Map(
    history.events.flatMap(({ kind, jobId, cursor }) => (kind === 'ending' ? [[jobId, cursor]] : [])),
  )
  // One that cleans up is on its way to an end, which nothing changes any more.
  const isEnding = (id: JobId, by: number) => (endings.get(id) ?? Number.POSITIVE_INFINITY) <= by
  for (const { id, cursor } of ledger.cancels) {
    const until = await cursor
    const state = jobs.get(id)?.state
    if (state !== 'cancelled' && !isEnding(id, until)) say(`job ${id} was cancelled, and is ${state}`)
    for (const job of jobs.values()) {
      const end = ends.get(job.id)
      if (!isWithin(job, id, jobs) || end === undefined || end.cursor <= until) continue
      if (job.state !== 'cancelled' && !isEnding(job.id, until))
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
function checkResults(aftermath: Aftermath, { harms }: Plan, say: Say): void {
  const { jobs, history } = aftermath
  const { inputs, results } = history
  const disturbed = disturbedJobs(aftermath)
  const setByMs = harms.map((harm) => (harm.harm === 'skew' || harm.harm === 'jump' ? Math.abs(harm.byMs) : 0))
  const wrongByMs = setByMs.reduce((sum, ms) => sum + ms, 0)
  for (const job of jobs.values()) {
    if (!isEnded(job.state)) continue
    if (job.state === 'failed' && job.error.code === 'deadline_exceeded') {
      // A worker counts down to it, and may do so by a clock that was wrong.
      if (job.deadlineAt === undefined || job.endedAt < job.deadlineAt - wrongByMs)
        say(`job ${job.id} failed by a deadline that had not passed`)
      continue
    }
    if (disturbed.has(job.id) || job.state === 'cancelled') continue
    const expected = expectedOf(job.task, JSON.parse(inputs[job.id] ?? 'null'))
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

/** How those submissions ended that nothing came between, by their keys. */
export function determinedOutcomes(aftermath: Aftermath): Record<string, string> {
  const { jobs, ledger, history } = aftermath
  const disturbed = disturbedJobs(aftermath)
  const keys = [...new Map(ledger.accepted.map(({ id, key }) => [key, id]))].sort()
  return Object.fromEntries(
    keys.flatMap(([key, id]) => {
      const job = jobs.get(id)
      const isOpen = job === undefined || !isEnded(job.state) || job.state === 'cancelled' || disturbed.has(id)
      return isOpen ? [] : [[key, `${job.state} ${history.results[id] ?? ''}`.trim()]]
    }),
  )
}

/** A workflow that failed was told of it once, and one that did not end well has undone what was to be undone. */
function checkCleaningUp({ jobs, history }: Aftermath, say: Say): void {
  const lives = Map.groupBy(history.events, ({ jobId }) => jobId)
  for (const { jobId, steps } of history.workflows) {
    const job = jobs.get(jobId)
    if (job === undefined || !isEnded(job.state)) continue
    const told = steps.filter(({ kind, name }) => kind === 'step' && name === ON_FAILURE).length
    const life = lives.get(jobId) ?? []
    const ending = life.findIndex(({ kind }) => kind === 'ending')
    // One that lost all its workers while it cleaned up was given up.
    const isGivenUp = ending >= 0 && life.slice(ending).filter(({ kind }) => kind === 'lapsed').length >= LAPSES_MAX - 1
    if (isGivenUp) continue
    if (told !== (job.state === 'failed' ? 1 : 0))
      say(`job ${jobId} is ${job.state}, and its onFailure was told ${told} times`)
    const done = steps.filter(({ compensates, value }) => compensates === true && value !== undefined)
    const undone = steps.filter(({ kind }) => kind === 'compensate').map(({ name }) => name)
    if (new Set(undone).size < undone.length) say(`job ${jobId} undid a step twice`)
    if (job.state === 'succeeded' && undone.length > 0) say(`job ${jobId} succeeded, and undid ${undone.join(', ')}`)
    for (const { name } of job.state === 'succeeded' ? [] : done)
      if (!undone.includes(name)) say(`job ${jobId} is ${job.state}, and did not undo its step ${name}`)
  }
}

/** Each instant of a schedule became one job. */
function checkSchedule({ jobs }: Aftermath, say: Say): void {
  const seen = new Set<string>()
  for (const { id, tags } of jobs.values()) {
    const instant = tags.find((tag) => tag.startsWith('scheduled-for:'))
    if (instant === undefined) continue
    if (seen.has(instant)) say(`job ${id} is a second one ${instant}`)
    seen.add(instant)
  }
}

/** Failures that no program says. */
const GIVEN_UP: readonly string[] = ['poison_job', 'deadline_exceeded', 'session_lost']

/** Jobs below which something ended otherwise than by its program: they may end in any way. */
function disturbedJobs({ jobs, ledger }: Aftermath): ReadonlySet<JobId> {
  const disturbed = new Set<JobId>()
  const cancelled = new Set(ledger.cancels.map(({ id }) => id))
  for (const job of jobs.values()) {
    const isGivenUp = job.state === 'failed' && GIVEN_UP.includes(job.error.code)
    if (!isGivenUp && !cancelled.has(job.id)) continue
    for (let at: Job | undefined = job; at !== undefined; at = at.parentId && jobs.get(at.parentId))
      disturbed.add(at.id)
  }
  return disturbed
}

/** A job is cancelled by somebody, with its workflow, or with the group that failed. */
function isExplained(job: Job, { jobs, ledger, history }: Aftermath): boolean {
  if (ledger.cancels.some(({ id }) => isWithin(job, id, jobs))) return true
  const parent = job.parentId && jobs.get(job.parentId)
  if (!parent) return false
  if (isEnded(parent.state)) return true
  const steps = history.workflows.find(({ jobId }) => jobId === parent.id)?.steps ?? []
  const { session } = steps.find(({ step }) => step === job.step) ?? {}
  const isOver = steps.some(({ step, value, error }) => step === session && (value ?? error) !== undefined)
  if (isOver && job.state === 'cancelled' && job.error.message === SESSION_OVER) return true
  return [...jobs.values()].some(
    (sibling) => sibling.parentId === parent.id && sibling.step === job.step && sibling.state === 'failed',
  )
}
