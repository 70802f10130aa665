import assert from 'node:assert/strict'
import { mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobId } from '../job/job.ts'
import { type CrashPlace, CrashScene } from './crashes/crash-scene.ts'

export type { CrashPlace } from './crashes/crash-scene.ts'

/** Longer than the tests may take: what waits for so much fails. */
const LONG_MS = 600_000

/**
 * Real processes, real signals, the real clock: workers that are killed, told to stop, frozen and blocked. Each test waits for what
 * the processes say, never for time to pass.
 * @param what the processes share, in the names of the tests
 */
export function testCrashes(what: string, place: CrashPlace): void {
  suite(`processes that share ${what}`, { timeout: 240_000 }, () => {
    test('two of them take jobs from the same line, each job once', async () => {
      await using here = await CrashScene.open(place)
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

    test('new work wakes a worker of another process, which would look for itself only once a second', {
      timeout: 60_000,
    }, async () => {
      await using here = await CrashScene.open(place)
      await here.other('other')
      await here.engine.result((await here.engine.submit(here.tasks.whoami, null)).id)
      // Each would wait for about a second else, and all of them for longer than this test may take.
      for (let job = 0; job < 100; job++) {
        assert.equal(await here.engine.result((await here.engine.submit(here.tasks.whoami, null)).id), 'other')
      }
    })

    test('cancelling reaches a job that runs in another process', async () => {
      await using here = await CrashScene.open(place)
      await here.other('other')
      const { id } = await here.engine.submit(here.tasks.nap, LONG_MS)
      const hold = await here.engine.submit(here.tasks.nap, LONG_MS)
      await running(here, id)
      assert.equal(await here.engine.cancel(hold.id), 'cancelled')
      assert.equal(await here.engine.cancel(id), 'cancelling')
      assert.equal(await here.engine.wait(id), 'cancelled')
    })

    test('a job that was accepted is there, though its submitter was killed at once', async () => {
      await using here = await CrashScene.open(place)
      const other = await here.other('other', { slots: 0 })
      other.tell('submit')
      const message = await other.says((said) => 'submitted' in said)
      await other.kill()
      assert.ok('submitted' in message)
      await here.startWorker()
      // The other process made the id by the same rules.
      assert.equal(await here.engine.result(message.submitted as JobId), 'here')
    })

    test('the jobs of a process that was killed go on elsewhere long before its lease would end', async () => {
      await using here = await CrashScene.open(place)
      const other = await here.other('other', { leaseMs: LONG_MS })
      const { id } = await here.engine.submit(here.tasks.hold, null)
      await other.says((message) => 'begun' in message)
      await here.startWorker()
      here.goOn()
      other.signal('SIGKILL')
      assert.equal(await here.engine.result(id), 'here')
      assert.deepEqual(
        (await here.store.attempts(id)).map(({ outcome }) => outcome),
        ['lapsed', 'succeeded'],
      )
    })

    test('a workflow whose process was killed goes on elsewhere, and runs no recorded step again', async () => {
      using folder = mkdtempDisposableSync(join(tmpdir(), 'headrace-notes-'))
      await using here = await CrashScene.open(place)
      const notes = join(folder.path, 'notes')
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
        await using here = await CrashScene.open(place)
        const other = await here.other('other', { leaseMs: LONG_MS })
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
        await using here = await CrashScene.open(place)
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

    test('a program that runs out of memory says so of its job, and its worker lives on', async () => {
      await using here = await CrashScene.open(place)
      await here.other('other')
      const { id } = await here.engine.submit(here.tasks.glutton, null)
      const { id: next } = await here.engine.submit(here.tasks.whoami, null)
      await here.engine.wait(id)
      const job = await here.engine.job(id)
      assert.ok(job?.state === 'failed')
      assert.deepEqual([job.error.code, job.attempt], ['out_of_memory', 1])
      assert.equal(await here.engine.result(next), 'other')
    })

    test('a worker that is told to stop hands its job back, which burns no attempt and no loss', async () => {
      await using here = await CrashScene.open(place)
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
      await using here = await CrashScene.open(place)
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
      await using here = await CrashScene.open(place)
      const other = await here.other('other', { leaseMs: 1_500 })
      const { id } = await here.engine.submit(here.tasks.block, 4_000)
      await other.says((message) => 'begun' in message)
      // Sweeps twice a second, and would take the job if it could.
      await here.startWorker()
      assert.equal(await here.engine.result(id), 'other')
      assert.equal((await here.store.attempts(id)).length, 1)
    })

    test('with workers killed again and again, every job ends once and none is lost', async () => {
      await using here = await CrashScene.open(place)
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
}

/** Resolves when a job is seen to run. */
async function running(here: CrashScene, id: JobId): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = async () => {
    if ((await here.store.job(id))?.state === 'running') resolve()
  }
  using _watching = here.store.watch(() => void look())
  await look()
  await promise
}
