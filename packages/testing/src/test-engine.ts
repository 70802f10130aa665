import { readCron } from '@headrace/cron'
import {
  type AnyTask,
  type ArtifactSink,
  type Callable,
  createEngine,
  type DeclaredSchedule,
  type Engine,
  isEnded,
  type JobId,
  type Json,
  type Store,
  type SubmitOptions,
  type Worker,
  type WorkerOptions,
} from '@headrace/engine'
import { ManualClock, seededRandom } from '@headrace/engine/testing'
import { openMemoryStore } from '@headrace/store-memory'
import { NothingDueError } from './errors.ts'
import { type Fake, type FakeOf, Fakes } from './fakes.ts'

export type TestEngineOptions = {
  readonly tasks: readonly AnyTask[]
  readonly schedules?: readonly DeclaredSchedule[]
  readonly artifacts?: ArtifactSink
  /** ISO 8601. Default 2030-01-01T00:00:00Z. */
  readonly startAt?: string
  /** Of the one worker. */
  readonly worker?: Omit<WorkerOptions, 'leaseMs'>
  /** The same seed, the same ids and random numbers. Default `test`. */
  readonly seed?: string
  /**
   * The clock stands still while code of tasks and steps runs, in real time. Code that takes longer than this is taken to
   * wait for time to pass, such as a task whose timeout is tested. Default 1,000.
   */
  readonly patienceMs?: number
}

export type Duration = {
  readonly ms?: number
  readonly seconds?: number
  readonly minutes?: number
  readonly hours?: number
  readonly days?: number
}

/** Nothing takes the lease of the one worker, however far the clock is turned. */
const LEASE_MS = 1e13
const WAIT_MAX = { days: 3_660 }

/**
 * An engine in memory with one worker, and a clock that stands still until it is turned.
 * @example
 * await using kit = await createTestEngine({ tasks: [sendMail, remind] })
 * const mail = kit.replace(sendMail, () => 'sent')
 * const id = await kit.submit(remind, 'ada@example.org')
 * await kit.advance({ days: 3 }) // what sleeps for three days goes on
 * mail.calls // ['ada@example.org']
 */
export async function createTestEngine(options: TestEngineOptions): Promise<TestEngine> {
  const kit = new TestEngine(options)
  await kit.start(options.worker)
  return kit
}

export class TestEngine implements AsyncDisposable {
  readonly clock: ManualClock
  readonly store: Store
  readonly engine: Engine
  readonly #fakes = new Fakes()
  readonly #patienceMs: number
  /** Attempts for whose code was waited long enough. */
  readonly #patienceLost = new Set<string>()
  #worker: Worker | undefined

  constructor({ tasks, schedules = [], artifacts, startAt, seed = 'test', patienceMs = 1_000 }: TestEngineOptions) {
    this.clock = new ManualClock(startAt)
    this.store = openMemoryStore({ clock: this.clock })
    this.#patienceMs = patienceMs
    this.engine = createEngine({
      store: this.store,
      tasks: tasks.map((task) => this.#fakes.wrap(task)),
      schedules,
      cron: readCron,
      random: seededRandom(seed),
      ...(artifacts !== undefined && { artifacts }),
    })
  }

  /** Called by {@link createTestEngine}. */
  async start(options: WorkerOptions = {}): Promise<void> {
    this.#worker = await this.engine.startWorker({ ...options, leaseMs: LEASE_MS })
  }

  /** The clock's time. */
  get now(): Date {
    return new Date(this.clock.now())
  }

  /** As `engine.submit`. What needs no time to pass begins at once; `advance({})` waits for it. */
  async submit<Input, Output>(
    task: Callable<Input, Output> | string,
    input: Input,
    options?: SubmitOptions,
  ): Promise<JobId> {
    return (await this.engine.submit(task, input, options)).id
  }

  /** Submits a job, turns the clock until it has ended, and gives its result. @throws as {@link end} and `engine.result` */
  async run<Input, Output>(
    task: Callable<Input, Output> | string,
    input: Input,
    options?: SubmitOptions,
  ): Promise<Output> {
    const id = await this.submit(task, input, options)
    await this.end(id)
    // Sound as far as the task's own types are: this is what it returned.
    return (await this.engine.result(id)) as Output
  }

  /** Turns the clock until a job has ended. @throws {NothingDueError} when it waits for what time does not bring */
  async end(id: JobId): Promise<void> {
    const isOver = await this.#turn(msOf(WAIT_MAX), async () => {
      const job = await this.store.job(id)
      return job === undefined || isEnded(job.state)
    })
    if (isOver) return
    const job = await this.store.job(id)
    if (job !== undefined) throw new NothingDueError(id, job.task, job.state, await this.#waitsOf(id))
  }

  /** Turns the clock, and runs whatever comes due: delays, retries, sleeps, timeouts, schedules. */
  async advance(duration: Duration): Promise<void> {
    const until = this.clock.now() + msOf(duration)
    await this.#turn(msOf(duration), async () => false)
    this.clock.leap(until)
    await this.#settle()
  }

  /**
   * Has a task run something else, whatever it ran before: a thread and a program too.
   * @example const counts = kit.replace(countWords, () => { throw new Error('No dictionary.') })
   */
  replace<T extends AnyTask>(task: T, run: FakeOf<T>['run']): Fake<FakeOf<T>['input']> {
    // Sound: it is given inputs of this task alone.
    return this.#fakes.put(task.name, run as (input: unknown, context: unknown) => unknown) as Fake<FakeOf<T>['input']>
  }

  /** What a job and all below it were given, by task: for assertions. */
  async inputs(id: JobId): Promise<readonly { readonly task: string; readonly input: Json }[]> {
    const jobs = await this.store.tree(id, 10_000)
    return Promise.all(jobs.map(async (job) => ({ task: job.task, input: (await this.engine.input(job.id)) ?? null })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker?.kill()
    await this.store[Symbol.asyncDispose]()
  }

  /** From one thing that falls due to the next. @returns whether it came true before the time was over, or nothing was due */
  async #turn(ms: number, isOver: () => Promise<boolean>): Promise<boolean> {
    const until = this.clock.now() + ms
    await this.#settle()
    while (!(await isOver())) {
      const { nextDueAt = Number.POSITIVE_INFINITY } = await this.store.sweep()
      const next = Math.max(this.clock.now() + 1, Math.min(nextDueAt, this.clock.nextAt))
      if (next > until) return false
      this.clock.leap(next)
      await this.#settle()
    }
    return true
  }

  /** Resolves when nothing is left to do at this instant. */
  async #settle(): Promise<void> {
    await this.clock.rest()
    const deadline = performance.now() + this.#patienceMs
    for (let busy = await this.#busy(); busy.length > 0; busy = await this.#busy()) {
      if (performance.now() > deadline) {
        for (const one of busy) this.#patienceLost.add(one)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
      await this.clock.rest()
    }
  }

  /** Whose code runs at this moment, those left out for whom was waited long enough. */
  async #busy(): Promise<string[]> {
    const { jobs } = await this.store.jobs({ states: ['running'] }, { limit: 10_000 })
    const attempts = jobs.filter(({ kind }) => kind === 'task').map(({ id, attempt }) => `${id}/${attempt}`)
    const steps = this.#fakes.stepsRunning > 0 ? [`${this.#fakes.stepsRunning} steps`] : []
    return [...attempts, ...steps].filter((one) => !this.#patienceLost.has(one))
  }

  async #waitsOf(id: JobId): Promise<string[]> {
    const steps = await this.store.steps(id)
    const open = steps.filter(({ kind, value, error, children }) =>
      kind === 'signal'
        ? value === undefined && error === undefined
        : children.some(({ state }) => state === 'pending'),
    )
    return open.map(({ kind, name }) => `${kind} ${name}`)
  }
}

function msOf({ ms = 0, seconds = 0, minutes = 0, hours = 0, days = 0 }: Duration): number {
  const all = ms + 1_000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)))
  if (!(all >= 0 && Number.isFinite(all))) throw new RangeError(`A clock is turned forward, and not by ${all} ms.`)
  return all
}
