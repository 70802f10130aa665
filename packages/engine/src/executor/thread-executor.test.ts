import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { recordedRequest } from './recorded-request.ts'
import { type ThreadExecutorOptions, threadExecutor } from './thread-executor.ts'
import { REPORTS_AHEAD_MAX } from './thread-messages.ts'

const MODULE = new URL('./example-thread-tasks.ts', import.meta.url)
const GRACE_MS = 5_000
const IDLE_MS = 30_000
/** A thread that does not end fails its test, rather than holding it up for ever. */
const options = { timeout: 60_000 }

suite('a function in a thread', options, () => {
  test('gets its input and gives its result by structured clone', async () => {
    await using execute = executor()
    const input = { tiles: new Map([['3/1/2', new Float32Array([0.25, 1])]]), at: new Date(0), none: undefined }
    assert.deepEqual(await execute(recordedRequest({ input }).request), input)
  })

  test('tells its progress, metrics and logs in order, all before its result', async () => {
    await using execute = executor('tellAll')
    const { request, recorder } = recordedRequest()
    assert.deepEqual(await execute(request), { id: 'job-7', attempt: 2, task: 'example' })
    assert.deepEqual(recorder.all, [
      { type: 'progress', fraction: 0.4, message: 'epoch 4 of 10' },
      { type: 'metric', name: 'loss', step: 4, value: 0.31 },
      { type: 'log', level: 'debug', message: 'hm' },
      { type: 'progress', fraction: 1, message: undefined },
    ])
  })

  test('throws errors that keep their name, message, code, cause and retryable', async () => {
    await using execute = executor('fail')
    const { request } = recordedRequest({ input: { retryable: false } })
    await assert.rejects(execute(request), (error: Error & { code: string; retryable: boolean }) => {
      assert.ok(error instanceof Error && error.cause instanceof Error && 'code' in error.cause)
      assert.deepEqual([error.name, error.message, error.code], ['RangeError', 'the raster is empty', 'raster_empty'])
      assert.deepEqual(
        [error.cause.name, error.cause.message, error.cause.code],
        ['TypeError', 'no such band', 'band_missing'],
      )
      assert.match(error.stack ?? '', /example-thread-tasks\.ts/)
      assert.equal(error.retryable, false)
      return true
    })
  })

  test('may throw what is no error', async () => {
    await using execute = executor('throwText')
    await assert.rejects(execute(recordedRequest().request), { name: 'Error', message: 'plain text' })
  })

  test('cannot be given or return what cannot pass between threads; its thread goes on', async () => {
    await using execute = executor('returnFunction', { sizeMax: 1 })
    const refused = { code: 'not_cloneable', retryable: false }
    await assert.rejects(execute(recordedRequest({ input: () => 1 }).request), {
      ...refused,
      message: /The input of example/,
    })
    await assert.rejects(execute(recordedRequest().request), { ...refused, message: /The result of example/ })
  })

  test('that its module does not export, or whose module is not there, says so', async () => {
    await using missing = executor('noSuchFunction')
    await assert.rejects(missing(recordedRequest().request), {
      code: 'thread_export_missing',
      message: /noSuchFunction/,
    })
    await using nowhere = threadExecutor({ module: new URL('./no-such-module.ts', MODULE) })
    await assert.rejects(nowhere(recordedRequest().request), { code: 'ERR_MODULE_NOT_FOUND' })
  })
})

suite('to stop a function in a thread', options, () => {
  test('fires its signal, and the very reason is what it rejects with', async () => {
    await using execute = executor('waitForAbort')
    const { request, recorder, abort, timers } = recordedRequest()
    const running = execute(request)
    await recorder.logged('ready')
    const reason = new Error('cancelled by ada')
    abort.abort(reason)
    await assert.rejects(running, (error) => error === reason)
    await timers.fire(IDLE_MS)
    assert.equal(timers.setCount, 0)
  })

  test('is seen even by a loop that never yields, when it looks at its signal', async () => {
    await using execute = executor('computeUntilAborted')
    const { request, recorder, abort } = recordedRequest()
    const running = execute(request)
    await recorder.logged('ready')
    abort.abort(new Error('cancelled by ada'))
    await assert.rejects(running, { message: 'cancelled by ada' })
  })

  test('kills the thread after the grace, when the function ignores it', async () => {
    await using execute = executor('computeForEver')
    const { request, recorder, abort, timers } = recordedRequest()
    const running = execute(request)
    await recorder.logged('ready')
    abort.abort(new Error('cancelled by ada'))
    const killed = assert.rejects(running, { code: 'killed_after_grace', cause: new Error('cancelled by ada') })
    await timers.fire(GRACE_MS)
    await killed
    assert.equal(timers.setCount, 0)
  })

  test('before it starts keeps it from starting', async () => {
    await using execute = executor('tellAll')
    const { request, recorder, abort } = recordedRequest()
    abort.abort(new Error('cancelled by ada'))
    await assert.rejects(execute(request), { message: 'cancelled by ada' })
    assert.deepEqual(recorder.all, [])
  })
})

suite('a thread that dies', options, () => {
  test('by process.exit is thread_exited, and the next attempt gets a new thread', async () => {
    await using execute = executor('exitItself', { sizeMax: 1 })
    const exited = { code: 'thread_exited', message: /process\.exit\(3\)/ }
    await assert.rejects(execute(recordedRequest().request), exited)
    await assert.rejects(execute(recordedRequest().request), exited)
  })

  test('of an error that nothing caught is thread_exited, with the error as its cause', async () => {
    await using execute = executor('failLater')
    await assert.rejects(execute(recordedRequest().request), (error: Error & { code: string }) => {
      assert.equal(error.code, 'thread_exited')
      assert.ok(error.cause instanceof Error)
      assert.equal(error.cause.message, 'nobody catches this')
      return true
    })
  })

  test('of too little memory is out_of_memory, and its worker lives on', async () => {
    await using execute = executor('fillMemory', {
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    })
    await assert.rejects(execute(recordedRequest().request), { code: 'out_of_memory' })
  })
})

suite('an artifact of a thread', options, () => {
  test('is kept before the function goes on', async () => {
    await using execute = executor('makeArtifact')
    const { request, recorder } = recordedRequest()
    assert.equal(await execute(request), 'kept')
    const content = new Uint8Array([1, 2, 3])
    assert.deepEqual(recorder.all, [{ type: 'artifact', name: 'mask', content, mediaType: 'application/octet-stream' }])
  })

  test('that cannot be kept is an error of the function, which may catch it', async () => {
    await using execute = executor('makeArtifactOrElse')
    const full = Object.assign(new Error('the disk is full'), { name: 'StoreFullError', code: 'store_full' })
    const { request } = recordedRequest({ events: { artifact: () => Promise.reject(full) } })
    assert.equal(await execute(request), 'StoreFullError store_full: the disk is full')
  })

  test('that the function did not wait for is waited for, and fails the attempt when it cannot be kept', async () => {
    await using execute = executor('makeArtifactInPassing')
    const { request } = recordedRequest({ events: { artifact: () => Promise.reject(new Error('the disk is full')) } })
    await assert.rejects(execute(request), { message: 'the disk is full' })
    const kept = recordedRequest()
    assert.equal(await execute(kept.request), 'returned')
    assert.equal(kept.recorder.all.length, 1)
  })
})

suite('the pool of threads', options, () => {
  test('gives an attempt the warm thread of the one before, and attempts at once a thread each', async () => {
    await using execute = executor('whereAmI')
    const first = await execute(recordedRequest().request)
    assert.equal(await execute(recordedRequest().request), first)
    const both = await Promise.all([execute(recordedRequest().request), execute(recordedRequest().request)])
    assert.equal(new Set(both).size, 2)
    assert.ok(both.includes(first))
  })

  test('ends a thread that was idle for its time', async () => {
    await using execute = executor('whereAmI')
    const { request, timers } = recordedRequest()
    const first = await execute(request)
    await timers.fire(IDLE_MS)
    assert.notEqual(await execute(request), first)
  })

  test('keeps no more threads warm than it may', async () => {
    await using execute = executor('whereAmI', { idleMax: 0 })
    const first = await execute(recordedRequest().request)
    assert.notEqual(await execute(recordedRequest().request), first)
  })

  test('has attempts beyond its size wait in line, and one that is aborted there leaves the line', async () => {
    await using execute = executor('waitForAbort', { sizeMax: 1 })
    const [first, second, third] = [recordedRequest(), recordedRequest(), recordedRequest()]
    const running = [first, second, third].map(({ request }) => execute(request).catch((error: Error) => error.message))
    const threadOfFirst = await first.recorder.logged('ready')
    second.abort.abort(new Error('second cancelled'))
    assert.equal(await running[1], 'second cancelled')
    first.abort.abort(new Error('first cancelled'))
    assert.equal(await third.recorder.logged('ready'), threadOfFirst)
    third.abort.abort(new Error('third cancelled'))
    assert.deepEqual(await Promise.all(running), ['first cancelled', 'second cancelled', 'third cancelled'])
    assert.deepEqual(second.recorder.all, [])
  })

  test('gives the next in line a new thread when the one before took its own along', async () => {
    await using execute = executor('computeForEver', { sizeMax: 1 })
    const [first, second] = [recordedRequest(), recordedRequest()]
    const running = [first, second].map(({ request }) =>
      execute(request).catch((error: { code: string }) => error.code),
    )
    for (const { recorder, abort, timers } of [first, second]) {
      await recorder.logged('ready')
      abort.abort()
      await timers.fire(GRACE_MS)
    }
    assert.deepEqual(await Promise.all(running), ['killed_after_grace', 'killed_after_grace'])
  })

  test('when it is disposed of, ends its threads, what they run and what waits, and takes nothing more', async () => {
    const execute = executor('computeForEver', { sizeMax: 1 })
    const [running, waiting] = [recordedRequest(), recordedRequest()]
    const closed = [running, waiting].map(({ request }) =>
      assert.rejects(execute(request), { code: 'executor_closed' }),
    )
    await running.recorder.logged('ready')
    await execute[Symbol.asyncDispose]()
    await Promise.all(closed)
    await assert.rejects(execute(recordedRequest().request), { code: 'executor_closed' })
  })

  test('does not keep a process alive by an idle thread', () => {
    const program = fileURLToPath(new URL('./idle-thread-process.ts', import.meta.url))
    assert.equal(execFileSync(process.execPath, [program], { encoding: 'utf8' }), 'done')
  })
})

suite('a talkative thread', options, () => {
  test('waits for its listener, and is never further ahead of it than it may be', async () => {
    await using execute = executor('logMany')
    const told = new Int32Array(new SharedArrayBuffer(4))
    let taken = 0
    let aheadMost = 0
    const log = () => {
      aheadMost = Math.max(aheadMost, Atomics.load(told, 0) - taken)
      taken++
    }
    const drained = () => new Promise<void>((resolve) => setImmediate(resolve))
    await execute(recordedRequest({ input: told, events: { log, drained } }).request)
    assert.equal(taken, 20_000)
    assert.ok(aheadMost <= REPORTS_AHEAD_MAX, `it was ${aheadMost} lines ahead`)
  })

  test('fails with its listener, and its thread runs nothing more', async () => {
    await using execute = executor('logMany')
    const log = () => {
      throw new Error('the listener broke')
    }
    const input = new Int32Array(new SharedArrayBuffer(4))
    await assert.rejects(execute(recordedRequest({ input, events: { log } }).request), {
      message: 'the listener broke',
    })
    await execute(recordedRequest({ input }).request)
  })

  test('is stopped after its grace when its listener never has room again', async () => {
    await using execute = executor('logMany')
    const drainAsked = Promise.withResolvers<void>()
    const drained = () => {
      drainAsked.resolve()
      return new Promise<void>(() => undefined)
    }
    const input = new Int32Array(new SharedArrayBuffer(4))
    const { request, abort, timers } = recordedRequest({ input, events: { drained } })
    const running = assert.rejects(execute(request), { code: 'killed_after_grace' })
    await drainAsked.promise
    abort.abort()
    await timers.fire(GRACE_MS)
    await running
    assert.ok(Atomics.load(input, 0) <= REPORTS_AHEAD_MAX)
  })
})

function executor(exportName?: string, more: Partial<ThreadExecutorOptions> = {}) {
  return threadExecutor({ module: MODULE, ...(exportName && { export: exportName }), ...more })
}
