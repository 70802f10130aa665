import {
  EngineError,
  IdempotencyConflictError,
  JobNotEndedError,
  UnknownJobError,
  UnknownTaskError,
} from '../errors.ts'
import type { Ids } from '../job/ids.ts'
import { isEnded, type Job, type JobId } from '../job/job.ts'
import { contentOf, type Payloads } from '../payload/payloads.ts'
import type { Enqueued, JobFilter, NewJob, Store } from '../store/store.ts'
import { checkPageLimit } from '../task/check-options.ts'
import { parseInput } from '../task/validate.ts'
import type { AnyTask } from '../task/workflow.ts'
import { keptSteps } from './kept-steps.ts'
import { checkRetry, type RetryFrom, type RetryOptions, retriedJob } from './retry-job.ts'

/** Which dead jobs are meant; all of them when nothing is said. */
export type RedriveFilter = Omit<JobFilter, 'states' | 'rootsOnly' | 'parentId' | 'retried'>

export type RedriveOptions = {
  /** For each of them; see {@link RetryOptions.from}. */
  readonly from?: RetryFrom
  /** At most so many at once. Default 100. */
  readonly limit?: number
  /** The `next` of the step before. */
  readonly before?: string
  /** Nothing is stored; what would be is told. */
  readonly dryRun?: boolean
  /** Says of jobs that the filter finds whether they are meant. */
  readonly accept?: (job: Job) => boolean
}

/** One step of a redrive. */
export type Redriven = {
  /** Of a dry run, the jobs that would be retried, without the id of a new one. */
  readonly retried: readonly { readonly retryOf: JobId; readonly id?: JobId }[]
  /** Left as they are, and why. */
  readonly refused: readonly { readonly id: JobId; readonly code: string; readonly message: string }[]
  /** There may be more: go on `before` this. */
  readonly next?: string
}

const LIMIT = 100
/** Failed jobs that one step looks at: most of them may have been retried before. */
const DEPTH = 5_000
/** No owner has such a name: keys are of owners, this one is of the jobs themselves. */
const SCOPE = '/redrive'

type Parts = {
  readonly store: Store
  readonly ids: Ids
  readonly payloads: Payloads
  readonly tasks: ReadonlyMap<string, AnyTask>
  /** @throws {LimitFullError} {DeploymentClosedError} what the store refused */
  refuse(enqueued: Enqueued, job: NewJob): void
}

/** Ended jobs once more, as new ones. */
export class Retries {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async retry(id: JobId, options: RetryOptions): Promise<{ readonly id: JobId; readonly existing: boolean }> {
    const { store } = this.#parts
    const job = await store.job(id)
    if (job === undefined) throw new UnknownJobError(id)
    if (!isEnded(job.state)) throw new JobNotEndedError(id, job.state)
    const again = await this.#again(job, options)
    const [enqueued] = await store.enqueue([again])
    if (enqueued === undefined) throw new Error('the store answered with fewer jobs than it was given')
    this.#parts.refuse(enqueued, again)
    return { id: enqueued.id, existing: enqueued.outcome === 'existing' }
  }

  /**
   * Retries failed jobs that were not retried before, the newest first, in one transaction. Each has a key of its own, so
   * that none is redriven twice, whoever asks how often.
   */
  async redrive(filter: RedriveFilter, options: RedriveOptions): Promise<Redriven> {
    const { store } = this.#parts
    const { limit = LIMIT, before, from, dryRun = false, accept = () => true } = options
    checkPageLimit('limit', limit)
    const dead = { ...filter, states: ['failed'], rootsOnly: true, retried: false } as const
    const page = await store.jobs(dead, { limit, depth: DEPTH, ...(before !== undefined && { before }) })
    const next = page.next === undefined ? {} : { next: page.next }
    const refused: Redriven['refused'][number][] = []
    const jobs: NewJob[] = []
    for (const job of page.jobs.filter(accept)) {
      // Of a task, there is only one place to begin.
      const options = from === undefined || job.kind === 'task' ? {} : { from }
      const again = await this.#again(job, options).catch((error: unknown) => refusalOf(job.id, error))
      if ('code' in again) refused.push(again)
      else jobs.push({ ...again, idempotency: { scope: SCOPE, key: job.id, fingerprint: job.task } })
    }
    if (dryRun) return { retried: jobs.flatMap(({ retryOf }) => (retryOf ? [{ retryOf }] : [])), refused, ...next }
    const retried: Redriven['retried'][number][] = []
    for (const [index, enqueued] of (await store.enqueue(jobs)).entries()) {
      const job = jobs[index]
      if (job?.retryOf === undefined) continue
      const { retryOf } = job
      if (enqueued.outcome === 'created') retried.push({ retryOf, id: enqueued.id })
      else if (enqueued.outcome === 'rejected') refused.push(this.#whyRefused(enqueued, job, retryOf))
    }
    return { retried, refused, ...next }
  }

  #whyRefused(enqueued: Enqueued, job: NewJob, id: JobId): Redriven['refused'][number] {
    try {
      this.#parts.refuse(enqueued, job)
    } catch (error) {
      return refusalOf(id, error)
    }
    throw new Error(`job ${id} was refused for no reason`)
  }

  async #again(job: Job, options: RetryOptions): Promise<NewJob> {
    const { store, ids, payloads } = this.#parts
    const from = checkRetry(options, job)
    const task = this.#parts.tasks.get(job.task)
    if (task === undefined) throw new UnknownTaskError(job.task, [...this.#parts.tasks.keys()])
    const edited = options.input === undefined ? undefined : { input: await parseInput(task, options.input) }
    const payload =
      edited === undefined
        ? await store.input(job.id)
        : await payloads.encode(options.input, `The input of ${task.name}`)
    if (payload === undefined) throw new UnknownJobError(job.id)
    const keeps = from === 'start' ? [] : keptSteps(await store.steps(job.id), 'error' in job ? job.error : undefined)
    const again = retriedJob({ id: ids.job(), job, task, payload, keeps, ...(edited && { edited }) })
    const { idempotencyKey: key } = options
    if (key === undefined) return again
    const fingerprint = `retry ${job.id} ${from} ${contentOf(payload)}`
    return { ...again, idempotency: { scope: job.owner ?? '', key, fingerprint } }
  }
}

/** What stands in the way of one job says nothing of the others. @throws what is not ours */
function refusalOf(id: JobId, error: unknown): Redriven['refused'][number] {
  if (!(error instanceof EngineError) || error instanceof IdempotencyConflictError) throw error
  return { id, code: error.code, message: error.message }
}
