import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Figures } from '../deployment/figures.ts'
import type { Tensors } from '../tensor/tensor.ts'
import { type BatchClock, Batcher, type BatchLimits } from './batcher.ts'
import type { RunPoint } from './run-times.ts'

/** Time that is turned by hand, and a model whose runs end when the test says so. */
function stage(limits: Partial<BatchLimits> = {}, isBatched = true, curve: readonly RunPoint[] = []) {
  let now = 0
  const timers = new Set<{ at: number; fn: () => void }>()
  const clock: BatchClock = {
    now: () => now,
    after(delayMs, fn) {
      const timer = { at: now + delayMs, fn }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const runs: { rows: number; end: () => Promise<void>; fail: (error: Error) => Promise<void> }[] = []
  const run = (inputs: Tensors) =>
    new Promise<Tensors>((resolve, reject) => {
      const rows = inputs.x?.dims[0] ?? 0
      runs.push({
        rows,
        end: async () => {
          resolve(inputs)
          await settled()
        },
        fail: async (error) => {
          reject(error)
          await settled()
        },
      })
    })
  const figures = new Figures()
  const batcher = new Batcher({
    run,
    limits: { maxBatch: 4, maxDelayMs: 5, queueMax: 8, ...limits },
    isBatched,
    figures,
    curve,
    clock,
  })
  return {
    batcher,
    figures,
    runs,
    ask: (
      values: readonly number[],
      options: { deadlineMs?: number; signal?: AbortSignal; isPatient?: boolean } = {},
    ) => {
      const asked = batcher.submit(
        { x: { dtype: 'float32', dims: [values.length], data: Float32Array.from(values) } },
        values.length,
        { deadlineMs: 1_000, ...options },
      )
      asked.catch(() => undefined) // looked at later
      return asked
    },
    async advance(ms: number) {
      now += ms
      for (const timer of [...timers].sort((a, b) => a.at - b.at)) {
        if (timer.at > now || !timers.delete(timer)) continue
        timer.fn()
      }
      await settled()
    },
  }
}

/** After all that was resolved has been heard of. */
const settled = () => new Promise((resolve) => setImmediate(resolve))
const valuesOf = async (answer: Promise<{ outputs: Tensors }>) =>
  Array.from((await answer).outputs.x?.data ?? [], Number)

test('an idle model waits its delay for company, and each gets its own rows', async () => {
  const { ask, runs, advance } = stage()
  const [a, b] = [ask([1, 2]), ask([3])]
  await advance(4.9)
  assert.equal(runs.length, 0)
  await advance(0.2)
  assert.deepEqual(
    runs.map(({ rows }) => rows),
    [3],
  )
  await runs[0]?.end()
  assert.deepEqual([await valuesOf(a), await valuesOf(b)], [[1, 2], [3]])
  assert.equal((await a).batchRows, 3)
})

test('a full batch starts at once, and no run takes more rows than it may', async () => {
  const { ask, runs } = stage()
  for (const value of [1, 2, 3, 4, 5, 6]) void ask([value])
  assert.deepEqual(
    runs.map(({ rows }) => rows),
    [4],
  )
  await runs[0]?.end()
  assert.equal(runs.length, 1, 'the two that are left wait for company')
})

test('those that came while a run was under way are the next run', async () => {
  const { ask, runs, advance } = stage()
  void ask([1])
  await advance(5)
  const later = [ask([2]), ask([3])]
  await advance(6)
  assert.equal(runs.length, 1)
  await runs[0]?.end()
  assert.deepEqual(
    runs.map(({ rows }) => rows),
    [1, 2],
  )
  await runs[1]?.end()
  assert.deepEqual(await Promise.all(later.map(valuesOf)), [[2], [3]])
})

test('requests of different shapes never run together', async () => {
  const { batcher, runs, advance } = stage()
  const wide = (cols: number) =>
    batcher.submit({ x: { dtype: 'float32', dims: [1, cols], data: new Float32Array(cols) } }, 1, { deadlineMs: 1_000 })
  const asked = [wide(2), wide(3), wide(2)]
  await advance(5)
  assert.deepEqual(
    runs.map(({ rows }) => rows),
    [2],
  )
  await runs[0]?.end()
  assert.deepEqual(
    runs.map(({ rows }) => rows),
    [2, 1],
  )
  await runs[1]?.end()
  assert.deepEqual(
    (await Promise.all(asked)).map(({ outputs }) => outputs.x?.dims),
    [
      [1, 2],
      [1, 3],
      [1, 2],
    ],
  )
})

test('a full queue refuses at once, says when to come again, and runs nothing of it', async () => {
  const { ask, runs, figures } = stage({ queueMax: 2 })
  const first = ask([1, 2])
  await assert.rejects(ask([3]), { code: 'model_overloaded', retryable: true, retryAfterMs: 1_000 })
  assert.equal(figures.now().refused, 1)
  assert.equal(runs.length, 0)
  void first
})

test('what waits longer than its deadline is told so at that moment, even while a run goes on, and is never run', async () => {
  const { ask, runs, advance, figures } = stage()
  const first = ask([1])
  await advance(5)
  const hasty = ask([2], { deadlineMs: 50 })
  await advance(51)
  await assert.rejects(hasty, { code: 'model_too_late' })
  await runs[0]?.end()
  await first
  await advance(10)
  assert.equal(runs.length, 1)
  assert.deepEqual([figures.now().tooLate, figures.now().answered, figures.now().queuedRows], [1, 1, 0])
})

test('what could not be answered in time is not even begun', async () => {
  const { ask, runs, advance } = stage()
  void ask([1])
  await advance(5)
  await advance(100)
  await runs[0]?.end() // a run takes 100 ms, it is now known
  void ask([1, 2, 3, 4])
  const hopeless = ask([5], { deadlineMs: 150 })
  await advance(100)
  await runs[1]?.end()
  await assert.rejects(hopeless, { code: 'model_too_late', message: /A run takes about 100\.0 ms/ })
  assert.equal(runs.length, 2)
})

test('what cannot be held is refused at once, before it is read, and one stalled run is no measure for ever', async () => {
  const { ask, runs, advance, batcher, figures } = stage()
  void ask([1])
  await advance(5)
  await advance(400)
  await runs[0]?.end() // a run takes 400 ms, it seems
  assert.throws(() => batcher.refuseHopeless(200, { rows: 1, readMs: 0 }), { code: 'model_too_late' })
  await assert.rejects(ask([2], { deadlineMs: 200 }), { code: 'model_too_late' })
  assert.equal(figures.now().tooLate, 2)
  await advance(1_000)
  batcher.refuseHopeless(200, { rows: 1, readMs: 0 })
  const tried = ask([3], { deadlineMs: 200 })
  await advance(5)
  await runs[1]?.end()
  assert.deepEqual(await valuesOf(tried), [3])
})

test('who runs past the deadline is told at the deadline, and the others of the batch get their answers', async () => {
  const { ask, runs, advance } = stage()
  const [hasty, patient] = [ask([1], { deadlineMs: 20 }), ask([2])]
  await advance(5)
  await advance(20)
  await assert.rejects(hasty, { code: 'model_too_late' })
  await runs[0]?.end()
  assert.deepEqual(await valuesOf(patient), [2])
})

test('who goes away while waiting is not run', async () => {
  const { ask, runs, advance, batcher } = stage()
  const controller = new AbortController()
  const gone = ask([1], { signal: controller.signal })
  controller.abort(new Error('hung up'))
  await assert.rejects(gone, /hung up/)
  await advance(10)
  assert.equal(runs.length, 0)
  assert.ok(batcher.isIdle)
})

test('a run that throws fails its own requests only', async () => {
  const { ask, runs, advance } = stage()
  const first = ask([1, 2, 3, 4])
  const second = ask([5])
  await runs[0]?.fail(new Error('out of memory'))
  await assert.rejects(first, /out of memory/)
  await advance(5)
  await runs[1]?.end()
  assert.deepEqual(await valuesOf(second), [5])
})

test('a model without a batch dimension runs one request after the other, without waiting', async () => {
  const { ask, runs } = stage({}, false)
  const [a, b] = [ask([1]), ask([2])]
  assert.equal(runs.length, 1)
  await runs[0]?.end()
  await runs[1]?.end()
  assert.deepEqual([await valuesOf(a), await valuesOf(b)], [[1], [2]])
})

test('drained resolves once what was taken on is answered', async () => {
  const { ask, runs, advance, batcher } = stage()
  void ask([1])
  let isDrained = false
  const drained = batcher.drained().then(() => {
    isDrained = true
  })
  await advance(5)
  assert.equal(isDrained, false)
  await runs[0]?.end()
  await drained
})

test('the patient wait behind all others, and are not refused', async () => {
  const { ask, runs, advance } = stage({ queueMax: 4, maxBatch: 2 })
  const first = ask([0, 0])
  const patient = [ask([1, 1], { isPatient: true }), ask([2, 2], { isPatient: true }), ask([3, 3], { isPatient: true })]
  const hasty = ask([4, 4])
  await runs[0]?.end()
  await runs[1]?.end()
  assert.deepEqual(await valuesOf(hasty), [4, 4])
  assert.deepEqual(await valuesOf(first), [0, 0])
  for (const at of [2, 3, 4]) await runs[at]?.end()
  assert.deepEqual(await Promise.all(patient.map(valuesOf)), [
    [1, 1],
    [2, 2],
    [3, 3],
  ])
  await advance(0)
  assert.equal(runs.length, 5)
})

/** A row takes 10 ms, however many run together. */
const COMPUTE_BOUND: readonly RunPoint[] = [1, 2, 4].map((rows) => ({ rows, ms: 10 * rows }))
/** Any run takes 50 ms. */
const MEMORY_BOUND: readonly RunPoint[] = [1, 2, 4].map((rows) => ({ rows, ms: 50 }))

test('a model that gains nothing by batches neither waits for company nor makes anybody wait for it', async () => {
  const { ask, runs } = stage({ maxDelayMs: 1_000 }, true, COMPUTE_BOUND)
  for (const value of [1, 2, 3]) void ask([value])
  await runs[0]?.end()
  assert.deepEqual(
    runs.map(({ rows }) => rows),
    [1, 1, 1],
  )
})

test('the next full batch of short runs is handed over while one is under way, and only one', async () => {
  const { ask, runs } = stage({}, true, COMPUTE_BOUND)
  const asked = [1, 2, 3].map((value) => ask([value]))
  assert.equal(runs.length, 2)
  for (const at of [0, 1, 2]) await runs[at]?.end()
  assert.deepEqual(await Promise.all(asked.map(valuesOf)), [[1], [2], [3]])
  const long = stage({}, true, MEMORY_BOUND)
  for (let value = 0; value < 8; value++) void long.ask([value])
  assert.equal(long.runs.length, 1, 'who comes during a long run would wait for two')
})

test('what was handed over ahead counts its run from when the one before it ended', async () => {
  const { ask, runs, advance } = stage({}, true, COMPUTE_BOUND)
  const [first, second] = [ask([1]), ask([2])]
  await advance(10)
  await runs[0]?.end()
  await advance(12)
  await runs[1]?.end()
  assert.deepEqual([(await first).runMs, (await second).runMs], [10, 12])
  assert.deepEqual([(await first).queuedMs, (await second).queuedMs], [0, 10])
})

test('a batch is no larger than the tightest deadline in it allows', async () => {
  const growing = [1, 2, 4].map((rows) => ({ rows, ms: 40 + 10 * rows }))
  const { ask, runs, advance } = stage({}, true, growing)
  void ask([0, 0, 0, 0])
  const hasty = ask([1], { deadlineMs: 155 })
  for (const value of [2, 3]) void ask([value])
  await advance(95)
  await runs[0]?.end()
  await advance(5)
  assert.deepEqual(
    runs.map(({ rows }) => rows),
    [4, 1],
  )
  await runs[1]?.end()
  assert.deepEqual(await valuesOf(hasty), [1])
})

test('who could not be answered behind those who are being read is refused at once, and told when to come again', async () => {
  const { batcher, figures } = stage({ queueMax: 1_000 }, true, MEMORY_BOUND)
  const refuse = (readMs = 0, isNext = false) => batcher.refuseHopeless(250, { rows: 1, readMs, isNext })
  {
    using _ = batcher.announce(12)
    refuse()
  }
  using _ = batcher.announce(100)
  assert.throws(refuse, { code: 'model_too_late', retryAfterMs: 1_363 }) // 25 runs of 50 ms before it, and a quarter more for doubt
  refuse(0, true)
  assert.throws(() => refuse(161, true), { code: 'model_too_late' }, 'to read it takes too long')
  assert.equal(figures.now().tooLate, 2)
})
