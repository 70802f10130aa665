import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createEngine,
  type Engine,
  isEnded,
  type JobId,
  type Store,
  type Worker,
  type WorkerOptions,
} from '@headrace/engine'
import { openSqliteStore } from './sqlite-store.ts'
import type { FromProcess, ToProcess } from './testing/crash-process.ts'
import { crashTasks, type Tasks } from './testing/crash-tasks.ts'

// Real processes, real signals, the real clock. Each test waits for what the processes say, never for time to pass.

const folder = mkdtempSync(join(tmpdir(), 'headrace-crash-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

/** This process's own part: a store, an engine, and at most one worker. */
class Here implements AsyncDisposable {
  readonly path: string
  readonly store: Store
  readonly engine: Engine
  readonly tasks: Tasks
  readonly begun: string[]
  readonly #others: Other[] = []
  readonly #workers: Worker[] = []
  readonly #release: () => void

  private constructor(path: string, store: Store) {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    this.path = path
    this.store = store
    this.begun = []
    this.tasks = crashTasks({ name: 'here', begun: (task) => void this.begun.push(task), goOn: () => released })
    this.engine = createEngine({ store, tasks: this.tasks.all, report: () => {} })
    this.#release = release
  }

  static async open(): Promise<Here> {
    const path = join(folder, `crash-${++files}.db`)
    return new Here(path, await openSqliteStore(path))
  }

  goOn(): void {
    this.#release()
  }

  async startWorker(options: WorkerOptions = { queues: { default: 1 } }): Promise<Worker> {
    const worker = await this.engine.startWorker(options)
    this.#workers.push(worker)
    return worker
  }

  async other(name: string, options: { readonly leaseMs?: number; readonly slots?: number } = {}): Promise<Other> {
    const other = this.fork(name, options)
    await other.says((message) => 'ready' in message)
    return other
  }

  /** The same, as soon as it is started. */
  fork(name: string, options: { readonly leaseMs?: number; readonly slots?: number } = {}): Other {
    const args = [this.path, name, String(options.leaseMs ?? 15_000), String(options.slots ?? 1)]
    const other = new Other(fork(new URL('./testing/crash-process.ts', import.meta.url), args))
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
class Other {
  readonly #child: ChildProcess
  readonly #said: FromProcess[] = []
  #heard: () => void = () => {}

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message) => {
      this.#said.push(message as FromProcess)
      this.#heard()
    })
  }

  /** The first thing said, now or later, that fits. */
  async says(fits: (message: FromProcess) => boolean): Promise<FromProcess> {
    for (;;) {
      const message = this.#said.find(fits)
      if (message !== undefined) return message
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

suite('processes that share a file', { timeout: 60_000 }, () => {
  test('two of them take jobs from the same line, each job once', async () => {
    await using here = await Here.open()
    const other = await here.other('other')
    await here.startWorker()
    // Each has one slot, and holds its job until both have begun.
    const ids = [await here.engine.submit(here.tasks.hold, null), await here.engine.submit(here.tasks.hold, null)]
    await other.says((message) => 'begun' in message)
    here.goOn()
    other.tell('go on')
    const results = await Promise.all(ids.map(({ id }) => here.engine.result(id)))
    assert.deepEqual(results.sort(), ['here', 'other'])
  })

  test('new work wakes a worker of another process, which would look for itself only once a second', async () => {
    await using here = await Here.open()
    await here.other('other')
    await here.engine.result((await here.engine.submit(here.tasks.whoami, null)).id)
    const startedAt = performance.now()
    for (let job = 0; job < 8; job++) {
      assert.equal(await here.engine.result((await here.engine.submit(here.tasks.whoami, null)).id), 'other')
    }
    const tookMs = performance.now() - startedAt
    assert.ok(tookMs < 4_000, `8 jobs one after the other took ${tookMs} ms`)
  })

  test('cancelling reaches a job in another process within a second', async () => {
    await using here = await Here.open()
    const other = await here.other('other')
    const { id } = await here.engine.submit(here.tasks.nap, 60_000)
    const hold = await here.engine.submit(here.tasks.nap, 60_000)
    await running(here, id)
    assert.equal(await here.engine.cancel(hold.id), 'cancelled')
    const startedAt = performance.now()
    assert.equal(await here.engine.cancel(id), 'cancelling')
    await reportedCancel(here, id)
    assert.ok(performance.now() - startedAt < 1_000)
    await other.kill()
  })

  test('a job that was accepted is there, though its submitter was killed at once', async () => {
    await using here = await Here.open()
    const other = await here.other('other', { slots: 0 })
    other.tell('submit')
    const message = await other.says((said) => 'submitted' in said)
    await other.kill()
    assert.ok('submitted' in message)
    await here.startWorker()
    // The other process made the id by the same rules.
    assert.equal(await here.engine.result(message.submitted as JobId), 'here')
  })

  test('the jobs of a process that was killed go on elsewhere within two seconds, long before its lease', async () => {
    await using here = await Here.open()
    const other = await here.other('other', { leaseMs: 60_000 })
    const { id } = await here.engine.submit(here.tasks.hold, null)
    await other.says((message) => 'begun' in message)
    await here.startWorker()
    here.goOn()
    const killedAt = performance.now()
    other.signal('SIGKILL')
    assert.equal(await here.engine.result(id), 'here')
    const tookMs = performance.now() - killedAt
    assert.ok(tookMs < 2_000, `it took ${tookMs} ms`)
    assert.deepEqual(
      (await here.store.attempts(id)).map(({ outcome }) => outcome),
      ['lapsed', 'succeeded'],
    )
  })

  test('a workflow whose process was killed goes on elsewhere, and runs no recorded step again', async () => {
    await using here = await Here.open()
    const notes = join(folder, `notes-${files}`)
    const other = await here.other('other', { slots: 2 })
    const { id } = await here.engine.submit(here.tasks.survey, notes)
    await other.says((message) => 'begun' in message)
    await here.startWorker({ queues: { default: 2 } })
    here.goOn()
    await other.kill()
    assert.equal(await here.engine.result(id), 'other then here')
    assert.equal(readFileSync(notes, 'utf8'), 'other\n')
  })

  for (const onLost of ['restart', 'fail'] as const) {
    test(`a session whose process was killed is over at once, as it was to be: ${onLost}`, async () => {
      await using here = await Here.open()
      const other = await here.other('other', { leaseMs: 60_000 })
      await here.startWorker({ queues: { flows: 1 } })
      const { id } = await here.engine.submit(here.tasks.together, onLost)
      await other.says((message) => 'begun' in message)
      await here.startWorker()
      here.goOn()
      other.signal('SIGKILL')
      const result = here.engine.result(id)
      if (onLost === 'restart') assert.deepEqual(await result, ['here', 'here'])
      else
        await assert.rejects(result, {
          code: 'task_failed',
          message: /Worker other of the session was lost: its process ended/,
        })
      const { jobs } = await here.store.jobs({ parentId: id }, { limit: 10 })
      const ends = jobs.map((job) => ('error' in job ? job.error.code : job.state))
      assert.deepEqual(ends.toReversed().slice(0, 2), ['succeeded', 'session_lost'])
    })
  }

  for (const how of ['exit', 'kill'] as const) {
    test(`a job that takes its process down (${how}) is stopped after as many workers as its task says`, async () => {
      await using here = await Here.open()
      // It takes none of these jobs, and sees who is lost.
      await here.startWorker({ queues: { elsewhere: 1 } })
      const { id } = await here.engine.submit(here.tasks.poison, how)
      for (const name of ['first', 'second']) {
        // It may be gone before it can say that it is ready.
        await here.fork(name).gone()
      }
      await assert.rejects(here.engine.result(id), { code: 'task_failed', message: /2 workers were lost in a row/ })
      const job = await here.engine.job(id)
      assert.ok(job?.state === 'failed')
      assert.deepEqual([job.error.code, job.error.retryable, job.attempt], ['poison_job', false, 2])
      // Whoever comes next is spared.
      const spared = await here.other('spared')
      const { id: next } = await here.engine.submit(here.tasks.whoami, null)
      assert.equal(await here.engine.result(next), 'spared')
      await spared.kill()
    })
  }

  test('a worker that is told to stop hands its job back, which burns no attempt and no loss', async () => {
    await using here = await Here.open()
    const other = await here.other('other')
    const { id } = await here.engine.submit(here.tasks.hold, null)
    await other.says((message) => 'begun' in message)
    other.signal('SIGTERM')
    assert.equal(await other.gone(), 0)
    const [first] = await here.store.attempts(id)
    assert.equal(first?.outcome, 'released')
    await here.startWorker()
    here.goOn()
    // Its task allows one attempt, and this is the second that was begun.
    assert.equal(await here.engine.result(id), 'here')
    assert.equal((await here.engine.job(id))?.attempt, 2)
  })

  test('a frozen process loses its lease, its late result is dropped, and it comes back under another id', async () => {
    await using here = await Here.open()
    const other = await here.other('other', { leaseMs: 900 })
    const { id } = await here.engine.submit(here.tasks.hold, null)
    await other.says((message) => 'begun' in message)
    const worker = await here.startWorker()
    here.goOn()
    other.signal('SIGSTOP')
    assert.equal(await here.engine.result(id), 'here')
    other.tell('go on')
    other.signal('SIGCONT')
    await other.says((message) => 'report' in message && message.report.includes('lost its lease'))
    await worker.stop()
    // The other one is the only worker now.
    assert.equal(await here.engine.result((await here.engine.submit(here.tasks.whoami, null)).id), 'other')
    assert.equal(await here.engine.result(id), 'here')
    assert.deepEqual(
      (await here.store.attempts(id)).map(({ outcome }) => outcome),
      ['lapsed', 'succeeded'],
    )
  })

  test('a task that blocks its event loop for longer than the lease keeps its job', async () => {
    await using here = await Here.open()
    const other = await here.other('other', { leaseMs: 600 })
    const { id } = await here.engine.submit(here.tasks.block, 2_500)
    await other.says((message) => 'begun' in message)
    // Sweeps twice a second, and would take the job if it could.
    await here.startWorker()
    assert.equal(await here.engine.result(id), 'other')
    assert.equal((await here.store.attempts(id)).length, 1)
  })

  test('with workers killed again and again, every job ends once and none is lost', async () => {
    await using here = await Here.open()
    const ids = (
      await here.engine.submitMany(
        here.tasks.nap,
        Array.from({ length: 120 }, (_, job) => job % 40),
      )
    ).map(({ id }) => id)
    let workers = await Promise.all(['one', 'two'].map((name) => here.other(name, { slots: 4 })))
    for (let round = 0; round < 3; round++) {
      await sleep(Math.random() * 150)
      const [victim, ...rest] = workers
      await victim?.kill()
      workers = [...rest, await here.other(`next-${round}`, { slots: 4 })]
    }
    await Promise.all(ids.map((id) => here.engine.result(id)))
    const events = await here.store.events({ after: 0, limit: 10_000, kinds: ['ended'] })
    assert.equal(events.length, ids.length)
    assert.equal(new Set(events.map(({ jobId }) => jobId)).size, ids.length)
  })
})

/** Resolves when a job is seen to run. */
async function running(here: Here, id: JobId): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = async () => {
    if ((await here.store.job(id))?.state === 'running') resolve()
  }
  using _watching = here.store.watch(() => void look())
  await look()
  await promise
}

/** Resolves when a cancelled job has ended. */
async function reportedCancel(here: Here, id: JobId): Promise<void> {
  await here.engine.wait(id)
  const state = (await here.store.job(id))?.state
  assert.ok(state !== undefined && isEnded(state))
  assert.equal(state, 'cancelled')
}
