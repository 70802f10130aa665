import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createEngine, type Engine } from '../../engine.ts'
import type { Store } from '../../store/store.ts'
import type { Worker, WorkerOptions } from '../../worker/supervised-worker.ts'
import type { CrashProcessOptions, FromProcess, ToProcess } from './crash-process.ts'
import { crashTasks, type Tasks } from './crash-tasks.ts'

/** Where crash tests happen: stores that any process may open by their address. */
export type CrashPlace = {
  /** Calls `runCrashProcess` with what opens such a store. */
  readonly program: URL
  /** Of a store that is not there yet. */
  makeAddress(): string
  open(address: string): Promise<Store>
}

type ForkOptions = Partial<Pick<CrashProcessOptions, 'leaseMs' | 'slots'>>

/** This process's own part: a store, an engine, and at most one worker. */
export class CrashScene implements AsyncDisposable {
  readonly address: string
  readonly store: Store
  readonly engine: Engine
  readonly tasks: Tasks
  readonly #program: URL
  readonly #released = Promise.withResolvers<void>()
  readonly #others: CrashProcess[] = []
  readonly #workers: Worker[] = []

  private constructor(address: string, store: Store, program: URL) {
    this.address = address
    this.store = store
    this.#program = program
    this.tasks = crashTasks({ name: 'here', begun: () => {}, goOn: () => this.#released.promise })
    this.engine = createEngine({ store, tasks: this.tasks.all, report: () => {} })
  }

  static async open(place: CrashPlace): Promise<CrashScene> {
    const address = place.makeAddress()
    return new CrashScene(address, await place.open(address), place.program)
  }

  goOn(): void {
    this.#released.resolve()
  }

  async startWorker(options: WorkerOptions = { queues: { default: 1 } }): Promise<Worker> {
    const worker = await this.engine.startWorker(options)
    this.#workers.push(worker)
    return worker
  }

  /** One more process, whose worker has started. */
  async other(name: string, options?: ForkOptions): Promise<CrashProcess> {
    const other = this.fork(name, options)
    await other.says((message) => 'ready' in message)
    return other
  }

  /** The same, as soon as it is started. */
  fork(name: string, { leaseMs = 15_000, slots = 1 }: ForkOptions = {}): CrashProcess {
    const options: CrashProcessOptions = { address: this.address, name, leaseMs, slots }
    const other = new CrashProcess(fork(this.#program, [JSON.stringify(options)]))
    this.#others.push(other)
    return other
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const other of this.#others) await other.kill()
    for (const worker of this.#workers) await worker.stop({ graceMs: 0 })
    await this.store[Symbol.asyncDispose]()
  }
}

/** A child process with a worker of its own. */
export class CrashProcess {
  readonly #child: ChildProcess
  readonly #said: FromProcess[] = []
  #heard: () => void = () => {}

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message) => {
      this.#said.push(message as FromProcess)
      this.#heard()
    })
    child.on('disconnect', () => this.#heard())
  }

  /** The first thing said, now or later, that fits. */
  async says(fits: (message: FromProcess) => boolean): Promise<FromProcess> {
    for (;;) {
      const message = this.#said.find(fits)
      if (message !== undefined) return message
      if (!this.#child.connected) throw new Error('The process has ended, and did not say what was waited for.')
      await new Promise<void>((resolve) => {
        this.#heard = resolve
      })
    }
  }

  tell(message: ToProcess): void {
    this.#child.send(message)
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.#child.pid ?? 0, signal)
  }

  /** @returns its exit code; null: a signal ended it */
  async gone(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.signal('SIGKILL')
    await exited
  }
}
