import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '@headrace/store-sqlite'
import type { Clock } from '../clock/clock.ts'
import { createEngine, type Engine, type EngineOptions } from '../engine.ts'
import { seededRandom } from '../flow/seeded-random.ts'
import type { EndState, JobId, RecordedError } from '../job/job.ts'
import type { Json } from '../json.ts'
import type { JobEvent, Store } from '../store/store.ts'
import type { AnyTask } from '../task/workflow.ts'
import type { Worker, WorkerOptions } from '../worker/supervised-worker.ts'
import { ManualClock } from './manual-clock.ts'

/** Opens a store of its own for one process of a stage; all of one stage share their jobs. */
export type OpenOnStage = (clock: Clock) => Promise<Store>

/** For the engine's own tests: processes that share a real store, on a clock that stands still until told. */
export class Stage implements AsyncDisposable {
  readonly clock = new ManualClock('2030-01-01T00:00:00Z')
  readonly #open: OpenOnStage | undefined
  readonly #folder = mkdtempSync(join(tmpdir(), 'headrace-stage-'))
  readonly file = join(this.#folder, 'stage.db')
  readonly #actors: Actor[] = []

  /** @param open default: a SQLite file of the stage's own */
  constructor(open?: OpenOnStage) {
    this.#open = open
  }

  /** One more process, with an engine and these tasks. */
  async process(
    tasks: readonly AnyTask[],
    {
      wrap = (store) => store,
      ...options
    }: Pick<EngineOptions, 'artifacts' | 'deployment' | 'schedules' | 'cron'> & {
      /** Puts something between the engine and its store. */
      readonly wrap?: (store: Store) => Store
    } = {},
  ): Promise<Actor> {
    const clock = new StoppableClock(this.clock)
    const number = this.#actors.length
    const store = this.#open === undefined ? await this.#openFile(clock) : holdingTime(await this.#open(clock), clock)
    const random = seededRandom(`process ${number}`)
    const reports: string[] = []
    const report = (message: string, error: unknown) => void reports.push(`${message} ${error}`)
    const actor = new Actor(
      this.clock,
      clock,
      store,
      createEngine({ store: wrap(store), tasks, random, report, ...options }),
      reports,
    )
    this.#actors.push(actor)
    return actor
  }

  #openFile(clock: Clock): Promise<Store> {
    // Numbers in the file count from 1 and are not used again while a test runs.
    const liveness = ({ id }: { readonly id: number }) => (this.#actors[id - 1]?.isDead ? 'dead' : 'alive')
    return openSqliteStore(this.file, { clock, fsync: false, liveness })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const actor of this.#actors) await actor.leave()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export type Ended = { readonly state: EndState; readonly result?: Json; readonly error?: RecordedError }

/** One process on the stage. */
export class Actor {
  readonly store: Store
  readonly engine: Engine
  readonly reports: readonly string[]
  readonly #time: ManualClock
  readonly #clock: StoppableClock
  readonly #workers: Worker[] = []
  isDead = false

  constructor(time: ManualClock, clock: StoppableClock, store: Store, engine: Engine, reports: readonly string[]) {
    this.#time = time
    this.#clock = clock
    this.store = store
    this.engine = engine
    this.reports = reports
  }

  async startWorker(options: WorkerOptions = { queues: { default: 4 } }): Promise<Worker> {
    const worker = await this.engine.startWorker(options)
    this.#workers.push(worker)
    return worker
  }

  /** As if it had been killed: nothing more is said, no timer fires, and the others see that it is gone. */
  crash(): void {
    for (const worker of this.#workers.splice(0)) worker.kill()
    this.#clock.isStopped = true
    this.isDead = true
  }

  async submit(task: AnyTask, input?: unknown, options?: Parameters<Engine['submit']>[2]): Promise<JobId> {
    return (await this.engine.submit(task, input, options)).id
  }

  /** Lets time go by until the job has ended. */
  async end(id: JobId): Promise<Ended> {
    await this.#time.until(async () => (await this.store.outcome(id)) !== undefined)
    return (await this.engine.outcome(id)) as Ended
  }

  async run(task: AnyTask, input?: unknown, options?: Parameters<Engine['submit']>[2]): Promise<Ended> {
    return this.end(await this.submit(task, input, options))
  }

  events(jobId: JobId): Promise<readonly JobEvent[]> {
    return this.store.events({ after: 0, limit: 10_000, jobId })
  }

  async kinds(jobId: JobId): Promise<string[]> {
    return (await this.events(jobId)).map(({ kind }) => kind)
  }

  async leave(): Promise<void> {
    this.#clock.isStopped = false
    for (const worker of this.#workers) worker.kill()
    await this.store[Symbol.asyncDispose]()
  }
}

/** A store that answers over a network: time stands still until it has. */
function holdingTime<T extends object>(store: T, clock: Clock): T {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value === 'object' && value !== null && name !== 'clock') return holdingTime(value, clock)
      if (typeof value !== 'function') return value
      return (...values: unknown[]) => {
        const answer: unknown = value.apply(target, values)
        if (answer instanceof Promise) hold(answer, clock)
        return answer
      }
    },
  })
}

function hold(answer: Promise<unknown>, clock: Clock): void {
  let isOver = false
  const end = () => {
    isOver = true
  }
  answer.then(end, end)
  const wait = () => {
    if (!isOver) clock.defer(wait)
  }
  wait()
}

class StoppableClock implements Clock {
  readonly #clock: ManualClock
  isStopped = false

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  setTimeout(fn: () => void, delayMs: number): ReturnType<Clock['setTimeout']> {
    return this.#clock.setTimeout(() => this.isStopped || fn(), delayMs)
  }

  defer(fn: () => void): void {
    this.#clock.defer(fn)
  }
}
