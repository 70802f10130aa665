import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueCounts, RecordedStep, WorkerRow } from '../store/store.ts'
import { type WaitingJob, type WaitView, whyWaiting } from './why-waiting.ts'

const JOB = { task: 'train', queue: 'gpu', state: 'waiting', wait: 'ready', attempt: 0 } as unknown as WaitingJob // no more is read
const WORKER = { queues: { gpu: 2 }, running: 0 } as unknown as WorkerRow
const QUEUE: QueueCounts = { queue: 'gpu', waiting: 1, scheduled: 0, blocked: 0, running: 0 }

const why = (job: Partial<WaitingJob>, view: Partial<WaitView> = {}) => {
  const { code, sentence } = whyWaiting({
    job: { ...JOB, ...job },
    now: 0,
    queue: QUEUE,
    workers: [WORKER],
    steps: [],
    ...view,
  })
  return [code, sentence]
}

test('a job that a worker could take at once waits no longer than a moment', () => {
  assert.deepEqual(why({}), ['soon', 'It is due, and a worker takes it in a moment.'])
})

test('a paused queue comes before all that workers lack', () => {
  const [code, sentence] = why({}, { queue: { ...QUEUE, paused: true }, workers: [] })
  assert.equal(code, 'paused')
  assert.equal(sentence, 'Its queue gpu is paused; nothing of it is begun until it is resumed.')
})

test('what no worker has is named: itself, the queue, the task, the deployment, a label, a need', () => {
  assert.equal(why({}, { workers: [] })[0], 'no_worker')
  assert.match(String(why({ queue: 'geo' })[1]), /No worker takes jobs of its queue geo: start one with --queues geo=1/)
  assert.deepEqual(why({}, { workers: [{ ...WORKER, tasks: ['other'] }] })[0], 'no_worker_for_task')
  assert.match(String(why({ deployment: 'blue' })[1]), /No worker of its deployment blue takes its queue gpu/)
  assert.match(String(why({}, { workers: [{ ...WORKER, deployment: 'blue' }] })[1]), /belongs to no deployment/)
  assert.match(String(why({ labels: ['gpu', 'region=eu'] })[1]), /has all of its labels: gpu, region=eu/)
  const small = { ...WORKER, offers: { memoryMb: 8_000 } }
  assert.match(
    String(why({ needs: { memoryMb: 64_000 } }, { workers: [small] })[1]),
    /memoryMb 64000 \(the most that one offers is 8000\)/,
  )
})

test('workers that fit and have no slot free are counted, those that do not fit are not', () => {
  const other = { ...WORKER, queues: { gpu: 9 }, deployment: 'blue' }
  const busy = { ...QUEUE, running: 2, waiting: 4_210 }
  assert.deepEqual(why({}, { workers: [WORKER, other], queue: busy }), [
    'slots',
    'All 2 slots for it are taken in its queue gpu. 4,210 jobs wait in it.',
  ])
})

test('with slots free, a rate or what is free of the resources holds it back', () => {
  const rated = { ...QUEUE, rate: { count: 10, perMs: 60_000 } }
  assert.match(String(why({}, { queue: rated })[1]), /begins no more than 10 jobs per 60 s/)
  const offers = { ...WORKER, offers: { cpu: 4 } }
  assert.match(String(why({ needs: { cpu: 3 } }, { workers: [offers] })[1]), /leaves less free than it needs: cpu 3/)
})

test('a limit says how many it lets run, and how many wait beside', () => {
  const limit = { key: 'model:12', max: 1, taken: 1, live: 3, blocked: 2 }
  const blocked = { wait: 'blocked', limit: { key: 'model:12', max: 1, whenFull: 'wait' } } as const
  assert.deepEqual(why(blocked, { limit }), [
    'limit',
    'Its limit model:12 lets 1 run at a time, and 1 does, and 1 other job waits for it as well.',
  ])
})

test('an instant, another attempt, a group and a cached question are told apart', () => {
  assert.match(String(why({ wait: 'scheduled', dueAt: 60_000 })[1]), /not due before 1970-01-01T00:01:00.000Z/)
  assert.equal(why({ wait: 'scheduled', attempt: 1, dueAt: 0 })[0], 'retry')
  assert.equal(why({ wait: 'held' })[0], 'group')
  assert.equal(why({ wait: 'following' })[0], 'cache')
})

test('a resting workflow says which step it waits for', () => {
  const step = { step: 0, children: [], name: 'review', kind: 'signal' } as unknown as RecordedStep
  assert.match(String(why({ wait: 'parked' }, { steps: [step] })[1]), /waits for the signal review from outside/)
  const children = [{ state: 'pending' }, { state: 'succeeded' }] as unknown as RecordedStep['children']
  const call = { ...step, kind: 'map', name: 'tiles.render', children } as RecordedStep
  assert.match(
    String(why({ wait: 'parked' }, { steps: [call] })[1]),
    /waits for 1 of 2 jobs that it called as tiles.render/,
  )
})

test('a job of a session waits for the worker of that, whoever else has time', () => {
  const ada = { ...WORKER, id: 'ada-1', name: 'ada' } as unknown as WorkerRow
  const mine = { sessionWorker: 'ada-1' } as Partial<WaitingJob>
  const sentence = 'It waits for worker ada of its session, which has other jobs to do first.'
  assert.deepEqual(why(mine, { workers: [WORKER, ada] }), ['session', sentence])
  assert.match(String(why(mine)[1]), /It fails in a moment: worker ada-1 of its session is lost/)
  assert.match(String(why({ ...mine, labels: ['gpu'] }, { workers: [ada] })[1]), /ada of its session can never take it/)
})
