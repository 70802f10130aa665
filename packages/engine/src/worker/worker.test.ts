import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { NonRetryableError, StoreUnavailableError } from '../errors.ts'
import { task } from '../task/task.ts'
import { workflow } from '../task/workflow.ts'
import { Stage } from '../testing/stage.ts'

/** A task that waits until it is let go, and notes that it began. */
function gate() {
  const begun: string[] = []
  const { promise, resolve } = Promise.withResolvers<string>()
  return { begun, promise, open: (value = 'open') => resolve(value) }
}

suite('a worker', () => {
  test('runs a task, and keeps what it returns', async () => {
    await using stage = new Stage()
    const double = task({ name: 'double', run: (n: number) => n * 2 })
    const here = await stage.process([double])
    await here.startWorker()
    assert.deepEqual(await here.run(double, 21), { state: 'succeeded', result: 42 })
  })

  test('keeps what a task throws: code, message and where it began', async () => {
    await using stage = new Stage()
    const bad = task({
      name: 'bad',
      run: () => {
        throw Object.assign(new TypeError('No such layer.'), { code: 'layer_missing' })
      },
    })
    const here = await stage.process([bad])
    await here.startWorker()
    const id = await here.submit(bad)
    const { state, error } = await here.end(id)
    assert.deepEqual(
      [state, error?.code, error?.message, error?.name],
      ['failed', 'layer_missing', 'No such layer.', 'TypeError'],
    )
    assert.deepEqual(error?.origin, { jobId: id, task: 'bad' })
    assert.match(error?.stack ?? '', /worker\.test/)
  })

  for (const thrown of ['a text', undefined, null, 42, { odd: true }]) {
    test(`keeps even what is no error: ${JSON.stringify(thrown)}`, async () => {
      await using stage = new Stage()
      const bad = task({ name: 'bad', run: () => Promise.reject(thrown) })
      const here = await stage.process([bad])
      await here.startWorker()
      const { state, error } = await here.run(bad)
      assert.deepEqual([state, error?.code], ['failed', 'task_threw'])
      assert.notEqual(error?.message, '')
    })
  }

  test('tries again with growing waits, as often as the task allows', async () => {
    await using stage = new Stage()
    const at: number[] = []
    const flaky = task({
      name: 'flaky',
      retry: { attempts: 4, delayMs: 1_000 },
      run: (_: null, job) => {
        at.push(stage.clock.now())
        if (job.attempt < 4) throw new Error(`attempt ${job.attempt}`)
        return job.attempt
      },
    })
    const here = await stage.process([flaky])
    await here.startWorker()
    const id = await here.submit(flaky, null)
    assert.deepEqual(await here.end(id), { state: 'succeeded', result: 4 })
    const waits = at.slice(1).map((instant, index) => instant - (at[index] ?? 0))
    for (const [index, waitMs] of waits.entries()) {
      const fullMs = 1_000 * 2 ** index
      assert.ok(waitMs >= fullMs / 2 && waitMs <= fullMs + 5, `wait ${index} was ${waitMs} ms`)
    }
    const attempts = await here.store.attempts(id)
    assert.deepEqual(
      attempts.map(({ outcome }) => outcome),
      ['retried', 'retried', 'retried', 'succeeded'],
    )
    assert.equal(attempts[1]?.error?.message, 'attempt 2')
  })

  test('fails a job whose attempts are used up, with the last error', async () => {
    await using stage = new Stage()
    const bad = task({
      name: 'bad',
      retry: { attempts: 2, delayMs: 10 },
      run: (_: null, job) => Promise.reject(new Error(`no ${job.attempt}`)),
    })
    const here = await stage.process([bad])
    await here.startWorker()
    assert.equal((await here.run(bad, null)).error?.message, 'no 2')
  })

  test('does not try again what says that it is useless', async () => {
    await using stage = new Stage()
    const bad = task({
      name: 'bad',
      retry: { attempts: 9 },
      run: () => Promise.reject(new NonRetryableError('Never.')),
    })
    const here = await stage.process([bad])
    await here.startWorker()
    const id = await here.submit(bad)
    assert.equal((await here.end(id)).error?.message, 'Never.')
    assert.equal((await here.store.attempts(id)).length, 1)
  })

  test('a retry without a wait may be claimed by the commit that asked for it, and can still be cancelled', async () => {
    await using stage = new Stage()
    const second = gate()
    const flaky = task({
      name: 'flaky',
      retry: { attempts: 2, delayMs: 0 },
      run: async (_: null, job) => {
        if (job.attempt === 1) throw new Error('once')
        second.begun.push('second')
        await new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)))
      },
    })
    const here = await stage.process([flaky])
    await here.startWorker({ queues: { default: 1 } })
    const id = await here.submit(flaky, null)
    await stage.clock.until(() => second.begun.length === 1)
    assert.equal(await here.engine.cancel(id), 'cancelling')
    assert.equal((await here.end(id)).state, 'cancelled')
  })

  test('ends an attempt at its timeout, and tries again', async () => {
    await using stage = new Stage()
    const reasons: unknown[] = []
    const slow = task({
      name: 'slow',
      timeoutMs: 5_000,
      retry: { attempts: 2, delayMs: 10 },
      run: (_: null, job) =>
        new Promise((_, reject) =>
          job.signal.addEventListener('abort', () => {
            reasons.push((job.signal.reason as { code: string }).code)
            reject(job.signal.reason)
          }),
        ),
    })
    const here = await stage.process([slow])
    await here.startWorker()
    const start = stage.clock.now()
    const { state, error } = await here.run(slow, null)
    assert.deepEqual([state, error?.code], ['failed', 'attempt_timeout'])
    assert.deepEqual(reasons, ['attempt_timeout', 'attempt_timeout'])
    assert.ok(stage.clock.now() - start < 10_500)
  })

  test('leaves a function behind that ignores its signal past its grace', async () => {
    await using stage = new Stage()
    const deaf = task({ name: 'deaf', timeoutMs: 1_000, graceMs: 2_000, run: () => new Promise(() => {}) })
    const here = await stage.process([deaf])
    await here.startWorker({ queues: { default: 1 } })
    const start = stage.clock.now()
    assert.equal((await here.run(deaf)).error?.code, 'attempt_timeout')
    assert.ok(Math.abs(stage.clock.now() - start - 3_000) < 100)
  })

  test('ends a running job at its deadline, whatever attempts it has left', async () => {
    await using stage = new Stage()
    const slow = task({ name: 'slow', graceMs: 10, retry: { attempts: 9 }, run: () => new Promise(() => {}) })
    const here = await stage.process([slow])
    await here.startWorker()
    const start = stage.clock.now()
    assert.equal((await here.run(slow, null, { deadlineMs: 4_000 })).error?.code, 'deadline_exceeded')
    assert.ok(stage.clock.now() - start < 4_100)
  })

  test('does not begin what is past its deadline', async () => {
    await using stage = new Stage()
    const any = task({ name: 'any', run: () => assert.fail('it was begun') })
    const here = await stage.process([any])
    const id = await here.submit(any, null, { deadlineMs: 1_000 })
    stage.clock.advance({ ms: 2_000 })
    await here.startWorker()
    assert.equal((await here.end(id)).error?.code, 'deadline_exceeded')
  })

  test('cancel reaches a running job within a second, and it ends cancelled whatever it does', async () => {
    await using stage = new Stage()
    const running = gate()
    const polite = task({
      name: 'polite',
      run: async (_: null, job) => {
        running.begun.push('polite')
        await new Promise((resolve) => job.signal.addEventListener('abort', resolve))
        return 'done anyway'
      },
    })
    const [here, there] = [await stage.process([polite]), await stage.process([polite])]
    await here.startWorker()
    const id = await there.submit(polite, null)
    await stage.clock.until(() => running.begun.length === 1)
    const askedAt = stage.clock.now()
    assert.equal(await there.engine.cancel(id, 'Enough.'), 'cancelling')
    const { state, error } = await there.end(id)
    assert.deepEqual([state, error?.message], ['cancelled', 'Enough.'])
    // Processes on a clock of their own send each other no hints, so this is what looking alone achieves.
    assert.ok(stage.clock.now() - askedAt <= 1_300)
  })

  test('leaves a job of a task that it does not know to one that knows it', async () => {
    await using stage = new Stage()
    const known = task({ name: 'known', run: () => 'here' })
    const [stranger, friend] = [await stage.process([]), await stage.process([known])]
    await stranger.startWorker()
    const id = await friend.submit(known)
    await stage.clock.pass({ ms: 5_000 })
    assert.deepEqual(await friend.kinds(id), ['queued'])
    await friend.startWorker()
    assert.deepEqual(await friend.end(id), { state: 'succeeded', result: 'here' })
  })

  test('keeps progress, logs and metrics in their order, before the end', async () => {
    await using stage = new Stage()
    const chatty = task({
      name: 'chatty',
      run: (_: null, job) => {
        job.progress(0.5, 'half')
        job.log('warn', 'careful')
        job.metric('loss', 1, 0.25)
        job.progress(7)
      },
    })
    const here = await stage.process([chatty])
    await here.startWorker()
    const id = await here.submit(chatty, null)
    await here.end(id)
    assert.deepEqual(
      (await here.events(id)).slice(2).map(({ kind, data }) => [kind, data]),
      [
        ['progress', { fraction: 0.5, message: 'half' }],
        ['log', { level: 'warn', message: 'careful' }],
        ['metric', { name: 'loss', step: 1, value: 0.25 }],
        ['progress', { fraction: 1 }],
        ['ended', { state: 'succeeded' }],
      ],
    )
  })

  test('what a running task tells is stored soon, not only at its end', async () => {
    await using stage = new Stage()
    const running = gate()
    const slow = task({
      name: 'slow',
      run: async (_: null, job) => {
        job.progress(0.5)
        return running.promise
      },
    })
    const here = await stage.process([slow])
    await here.startWorker({ queues: { default: 1 } })
    const id = await here.submit(slow, null)
    const startedAt = stage.clock.now()
    await stage.clock.until(async () => (await here.store.job(id))?.progress !== undefined)
    assert.ok(stage.clock.now() - startedAt < 200)
    running.open()
    await here.end(id)
  })

  for (const fraction of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    test(`progress that is ${fraction} harms nobody`, async () => {
      await using stage = new Stage()
      const odd = task({ name: 'odd', run: (_: null, job) => job.progress(fraction) })
      const fine = task({ name: 'fine', run: () => 'fine' })
      const here = await stage.process([odd, fine])
      await here.startWorker()
      assert.equal((await here.run(odd, null)).state, 'succeeded')
      assert.equal((await here.run(fine, null)).state, 'succeeded')
    })
  }

  test('a metric that is no number harms nobody', async () => {
    await using stage = new Stage()
    const odd = task({ name: 'odd', run: (_: null, job) => job.metric('loss', 1, Number.NaN) })
    const here = await stage.process([odd])
    await here.startWorker()
    assert.equal((await here.run(odd, null)).state, 'succeeded')
  })

  test('a result that is no JSON fails its job, and says why', async () => {
    await using stage = new Stage()
    const odd = task({ name: 'odd', run: () => 10n })
    const here = await stage.process([odd])
    await here.startWorker()
    assert.equal((await here.run(odd)).error?.code, 'not_json')
  })

  test('never runs more at once than it has slots', async () => {
    await using stage = new Stage()
    let [now, most] = [0, 0]
    const slow = task({
      name: 'slow',
      run: async () => {
        most = Math.max(most, ++now)
        await new Promise<void>((resolve) => stage.clock.setTimeout(resolve, 100))
        now--
      },
    })
    const here = await stage.process([slow])
    await here.startWorker({ queues: { default: 3 } })
    const ids = (
      await here.engine.submitMany(
        slow,
        Array.from({ length: 20 }, () => null),
      )
    ).map(({ id }) => id)
    const start = stage.clock.now()
    for (const id of ids) await here.end(id)
    assert.equal(most, 3)
    assert.ok(stage.clock.now() - start < 1_000)
  })

  test('takes the most urgent job first', async () => {
    await using stage = new Stage()
    const order: number[] = []
    const note = task({ name: 'note', run: (n: number) => void order.push(n) })
    const here = await stage.process([note])
    for (const priority of [0, 5, -5, 10]) await here.submit(note, priority, { priority })
    await here.startWorker({ queues: { default: 1 } })
    await stage.clock.until(() => order.length === 4)
    assert.deepEqual(order, [10, 5, 0, -5])
  })

  test('begins a delayed job at its time, to the millisecond', async () => {
    await using stage = new Stage()
    const at: number[] = []
    const note = task({ name: 'note', run: () => void at.push(stage.clock.now()) })
    const here = await stage.process([note])
    await here.startWorker()
    const start = stage.clock.now()
    await here.run(note, null, { delayMs: 12_345 })
    assert.deepEqual(at, [start + 12_345])
  })
})

suite('a worker whose store refuses something', () => {
  test('fails the job whose retry cannot be stored, and goes on with the others', async () => {
    await using stage = new Stage()
    const odd = task({
      name: 'odd',
      retry: { attempts: 2, delayMs: Number.NaN },
      run: () => Promise.reject(new Error('It broke.')),
    })
    const fine = task({ name: 'fine', run: () => 'fine' })
    const here = await stage.process([odd, fine])
    await here.startWorker()
    const [bad, good] = [await here.submit(odd), await here.submit(fine)]
    assert.equal((await here.end(bad)).error?.code, 'store_refused')
    assert.equal((await here.end(good)).result, 'fine')
    assert.equal((await here.run(fine)).result, 'fine')
  })

  test('drops progress that cannot be stored, and keeps what was told besides', async () => {
    await using stage = new Stage()
    const odd = task({
      name: 'odd',
      run: (_: null, job) => {
        job.log('info', 'before')
        job.progress(0.5, { toString: 'a message that is no text' } as never)
        job.log('info', 'after')
        return 'done'
      },
    })
    const here = await stage.process([odd])
    await here.startWorker()
    const id = await here.submit(odd, null)
    assert.equal((await here.end(id)).result, 'done')
    assert.deepEqual(await here.kinds(id), ['queued', 'started', 'log', 'log', 'ended'])
    assert.ok(here.reports.some((report) => report.includes('refused a progress')))
  })

  test('fails the workflow whose step cannot be stored, and stops its code', async () => {
    await using stage = new Stage()
    let isFirstDone = false
    let isReached = false
    const flow = workflow({
      name: 'flow',
      run: async (_: null, flow) => {
        await flow.step('first', () => 1)
        isFirstDone = true
        // Code that swallows errors must not go on either.
        await flow.step('poison', () => 2).catch(() => {})
        isReached = true
      },
    })
    const fine = task({ name: 'fine', run: () => 'fine' })
    const here = await stage.process([flow, fine])
    const commit = here.store.commit.bind(here.store)
    here.store.commit = (batch) => {
      const isPoisoned = batch.advance.some(({ steps }) => steps.some(({ name }) => name === 'poison'))
      return isPoisoned ? Promise.reject(new Error('CHECK constraint failed')) : commit(batch)
    }
    const worker = await here.startWorker()
    const { state, error } = await here.run(flow, null)
    assert.deepEqual([state, error?.code, isFirstDone, isReached], ['failed', 'store_refused', true, false])
    assert.equal((await here.run(fine)).result, 'fine')
    // Nothing is left of it in the worker, once the grace of its local step is over.
    await stage.clock.pass({ ms: 5_000 })
    const stopping = worker.stop({ graceMs: 10_000 })
    await stage.clock.pass({ ms: 10 })
    await stopping
  })
})

suite('a worker that stops', () => {
  /** A worker with a job that has ended, of which the store does not want to hear. */
  async function unheard(stage: Stage) {
    const running = gate()
    const slow = task({
      name: 'slow',
      run: (_: null, job) => {
        running.begun.push(`attempt ${job.attempt}`)
        return job.attempt > 1 ? 'elsewhere' : running.promise
      },
    })
    const [here, there] = [await stage.process([slow]), await stage.process([slow])]
    const worker = await here.startWorker({ queues: { default: 4 }, leaseMs: 4_000 })
    const id = await here.submit(slow, null)
    await stage.clock.until(() => running.begun.length === 1)
    here.store.commit = () => Promise.reject(new StoreUnavailableError('fake', 0))
    running.open()
    return { here, there, worker, id }
  }

  test('does not wait for ever for a store that fails: it says so, and its jobs go on elsewhere', async () => {
    await using stage = new Stage()
    const { here, there, worker, id } = await unheard(stage)
    let isStopped = false
    const stopping = worker.stop({ graceMs: 1_000 }).then(() => {
      isStopped = true
    })
    await stage.clock.pass({ ms: 5_900 })
    assert.equal(isStopped, false)
    await stage.clock.pass({ ms: 200 })
    await stopping
    assert.ok(here.reports.some((report) => report.includes('stops all the same')))
    await there.startWorker()
    assert.deepEqual(await there.end(id), { state: 'succeeded', result: 'elsewhere' })
  })

  test('does not wait for ever for a store that never answers', async () => {
    await using stage = new Stage()
    const { here, worker } = await unheard(stage)
    here.store.commit = () => new Promise(() => {})
    here.store.removeWorker = () => new Promise(() => {})
    const stopping = worker.stop({ graceMs: 1_000 })
    await stage.clock.pass({ ms: 6_100 })
    await stopping
  })

  test('waits for a store that recovers in time', async () => {
    await using stage = new Stage()
    const { here, worker, id } = await unheard(stage)
    const stopping = worker.stop({ graceMs: 1_000 })
    await stage.clock.pass({ ms: 3_000 })
    Reflect.deleteProperty(here.store, 'commit')
    await stage.clock.pass({ ms: 3_000 })
    await stopping
    assert.deepEqual(await here.engine.outcome(id), { state: 'succeeded', result: 'open' })
    assert.ok(!here.reports.some((report) => report.includes('stops all the same')))
  })

  test('while the store fails to forget it says so, and has stopped all the same', async () => {
    await using stage = new Stage()
    const here = await stage.process([])
    const worker = await here.startWorker()
    here.store.removeWorker = () => Promise.reject(new StoreUnavailableError('fake', 0))
    await worker.stop()
    assert.ok(here.reports.some((report) => report.includes("could not be taken off the store's list")))
  })

  test('while it comes back after a lost lease waits for that, and leaves no worker behind', async () => {
    await using stage = new Stage()
    const here = await stage.process([])
    const addWorker = here.store.addWorker.bind(here.store)
    const losses: (() => void)[] = []
    const back = gate()
    here.store.addWorker = async (info, onLost) => {
      losses.push(() => onLost('it was frozen'))
      if (losses.length === 2) await back.promise
      await addWorker(info, onLost)
    }
    const worker = await here.startWorker()
    losses[0]?.()
    await stage.clock.pass({ ms: 1_000 })
    assert.equal(losses.length, 2)
    const stopping = worker.stop({ graceMs: 0 })
    await stage.clock.pass({ ms: 10 })
    back.open()
    await stage.clock.pass({ ms: 10 })
    await stopping
    const listed = (await here.store.workers()).map(({ id }) => id)
    assert.ok(!listed.includes(worker.id))
  })

  test('told twice that a lease is lost, it comes back once, and keeps what it holds by then', async () => {
    await using stage = new Stage()
    const running = gate()
    const slow = task({ name: 'slow', run: () => running.promise.then(() => 'done') })
    const here = await stage.process([slow])
    const addWorker = here.store.addWorker.bind(here.store)
    const losses: (() => void)[] = []
    here.store.addWorker = async (info, onLost) => {
      losses.push(() => onLost('it was frozen'))
      await addWorker(info, onLost)
    }
    const worker = await here.startWorker()
    losses[0]?.()
    await stage.clock.pass({ ms: 1_100 })
    assert.equal(losses.length, 2)
    const second = worker.id
    const id = await here.submit(slow, null)
    await stage.clock.until(async () => (await here.store.job(id))?.state === 'running')
    losses[0]?.()
    await stage.clock.pass({ ms: 2_000 })
    assert.equal(worker.id, second)
    running.open()
    assert.equal((await here.end(id)).state, 'succeeded')
    assert.equal((await here.store.job(id))?.attempt, 1)
  })

  test('hands back at once what it claimed just before', async () => {
    await using stage = new Stage()
    const running = gate()
    const slow = task({
      name: 'slow',
      run: (name: string) => {
        running.begun.push(name)
        return running.promise
      },
    })
    const here = await stage.process([slow])
    const worker = await here.startWorker()
    await here.submit(slow, 'first')
    await stage.clock.until(() => running.begun.length === 1)
    const commit = here.store.commit.bind(here.store)
    const answer = gate()
    const claiming = gate()
    here.store.commit = async (batch) => {
      const result = await commit(batch)
      if (result.claimed.length > 0) {
        claiming.begun.push('claimed')
        await answer.promise
      }
      return result
    }
    const late = await here.submit(slow, 'late')
    await stage.clock.until(() => claiming.begun.length === 1)
    const stopping = worker.stop({ graceMs: 10_000 })
    answer.open()
    await stage.clock.pass({ ms: 100 })
    assert.equal((await here.store.job(late))?.state, 'waiting')
    running.open()
    await stage.clock.pass({ ms: 100 })
    await stopping
    assert.deepEqual(running.begun, ['first'])
  })

  test('lets what runs end within its grace', async () => {
    await using stage = new Stage()
    const running = gate()
    const slow = task({
      name: 'slow',
      run: () => {
        running.begun.push('slow')
        return running.promise
      },
    })
    const here = await stage.process([slow])
    const worker = await here.startWorker()
    const id = await here.submit(slow)
    await stage.clock.until(() => running.begun.length === 1)
    const stopping = worker.stop({ graceMs: 10_000 })
    await stage.clock.pass({ ms: 5_000 })
    running.open('in time')
    await stopping
    assert.deepEqual(await here.engine.outcome(id), { state: 'succeeded', result: 'in time' })
    assert.deepEqual(await here.store.workers(), [])
  })

  test('hands back what does not end within its grace, without harm to its attempts', async () => {
    await using stage = new Stage()
    const running = gate()
    const slow = task({
      name: 'slow',
      run: (_: null, job) => {
        running.begun.push(`attempt ${job.attempt}`)
        if (job.attempt > 1) return 'elsewhere'
        return new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)))
      },
    })
    const [here, there] = [await stage.process([slow]), await stage.process([slow])]
    const worker = await here.startWorker()
    const id = await here.submit(slow, null)
    await stage.clock.until(() => running.begun.length === 1)
    const stopping = worker.stop({ graceMs: 1_000 })
    await stage.clock.pass({ ms: 1_500 })
    await stopping
    assert.equal((await here.store.job(id))?.state, 'waiting')
    await there.startWorker()
    assert.deepEqual(await there.end(id), { state: 'succeeded', result: 'elsewhere' })
    assert.deepEqual(
      (await there.store.attempts(id)).map(({ outcome }) => outcome),
      ['released', 'succeeded'],
    )
  })

  test('keeps the result of what ends after it was asked to stop', async () => {
    await using stage = new Stage()
    const running = gate()
    const thorough = task({
      name: 'thorough',
      run: async (_: null, job) => {
        running.begun.push('thorough')
        await new Promise((resolve) => job.signal.addEventListener('abort', resolve))
        return 'just in time'
      },
    })
    const here = await stage.process([thorough])
    const worker = await here.startWorker()
    const id = await here.submit(thorough, null)
    await stage.clock.until(() => running.begun.length === 1)
    const stopping = worker.stop({ graceMs: 1_000 })
    await stage.clock.pass({ ms: 1_500 })
    await stopping
    assert.deepEqual(await here.engine.outcome(id), { state: 'succeeded', result: 'just in time' })
  })

  test('takes nothing new, and runs nothing after it has stopped', async () => {
    await using stage = new Stage()
    let begun = 0
    const note = task({ name: 'note', run: () => void begun++ })
    const here = await stage.process([note])
    const worker = await here.startWorker()
    const submitting = here.submit(note)
    const stopping = worker.stop({ graceMs: 0 })
    await stage.clock.pass({ ms: 20 })
    await stopping
    const begunBefore = begun
    await here.submit(note)
    await submitting
    await stage.clock.pass({ ms: 5_000 })
    assert.equal(begun, begunBefore)
    assert.equal((await here.store.queues())[0]?.running ?? 0, 0)
  })

  test('hands its workflows on, which go on where they were', async () => {
    await using stage = new Stage()
    const child = task({ name: 'child', queue: 'later', run: () => 'from the child' })
    const parent = workflow({
      name: 'parent',
      run: async (_: null, flow) => [await flow.step('once', () => 'once'), await flow.call(child, null)],
    })
    const [here, there] = [await stage.process([parent, child]), await stage.process([parent, child])]
    const worker = await here.startWorker()
    const id = await here.submit(parent, null)
    await stage.clock.until(async () => (await here.store.steps(id)).length === 2)
    const stopping = worker.stop({ graceMs: 5_000 })
    await stage.clock.pass({ ms: 100 })
    await stopping
    await there.startWorker({ queues: { default: 1, later: 1 } })
    assert.deepEqual(await there.end(id), { state: 'succeeded', result: ['once', 'from the child'] })
  })

  test('a killed worker’s jobs go on elsewhere as soon as its process is seen to be gone', async () => {
    await using stage = new Stage()
    const running = gate()
    const slow = task({
      name: 'slow',
      run: (_: null, job) => {
        running.begun.push(`attempt ${job.attempt}`)
        return job.attempt > 1 ? 'elsewhere' : new Promise(() => {})
      },
    })
    const [here, there] = [await stage.process([slow]), await stage.process([slow])]
    await here.startWorker({ leaseMs: 60_000 })
    const id = await there.submit(slow, null)
    await stage.clock.until(() => running.begun.length === 1)
    await there.startWorker()
    here.crash()
    const crashedAt = stage.clock.now()
    assert.deepEqual(await there.end(id), { state: 'succeeded', result: 'elsewhere' })
    assert.ok(stage.clock.now() - crashedAt < 2_000)
  })
})
