import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId, RecordedError } from '../job/job.ts'
import type { ChildOutcome, RecordedStep } from '../store/store.ts'
import { keptSteps } from './kept-steps.ts'

const broke: RecordedError = { code: 'task_threw', message: 'It broke.' }
const gone: RecordedError = { code: 'job_cancelled', message: 'Its workflow ended before it.' }

function step(number: number, over: Partial<RecordedStep> = {}): RecordedStep {
  const base = { step: number, kind: 'step', name: `step ${number}`, value: '1', children: [], recordedAt: 0 } as const
  return { ...base, delivered: [], deliveredFrom: 0, ...over }
}

function child(state: ChildOutcome['state'], item = 0, error = state === 'cancelled' ? gone : broke): ChildOutcome {
  const base = { jobId: `child-${item}` as JobId, task: 'render', item }
  if (state === 'pending') return { ...base, state }
  return state === 'succeeded' ? { ...base, state, result: '1' } : { ...base, state, error }
}

function call(number: number, state: ChildOutcome['state'], over: Partial<RecordedStep> = {}): RecordedStep {
  const { value: _, ...plain } = step(number)
  return { ...plain, kind: 'call', children: [child(state)], ...over }
}

function failed(number: number, error = broke, over: Partial<RecordedStep> = {}): RecordedStep {
  const { value: _, ...plain } = step(number, over)
  return { ...plain, error }
}

const numbers = (steps: readonly RecordedStep[], error?: RecordedError) =>
  keptSteps(steps, error).map((kept) => kept.step)

suite('the steps that a retry takes over', () => {
  test('are those before the one that failed', () => {
    const steps = [
      step(1),
      call(2, 'succeeded', { delivered: [1] }),
      failed(3, broke, { delivered: [2], deliveredFrom: 1 }),
    ]
    assert.deepEqual(keptSteps(steps, broke), [
      { step: 1, delivered: [], deliveredFrom: 0 },
      { step: 2, delivered: [1], deliveredFrom: 0 },
    ])
  })

  test('keep the order in which the code received them, though the failed step alone knew of it', () => {
    const steps = [
      step(1),
      step(2),
      failed(3, broke, { delivered: [2, 1] }),
      call(4, 'succeeded', { deliveredFrom: 2 }),
    ]
    assert.deepEqual(keptSteps(steps, broke), [
      { step: 1, delivered: [], deliveredFrom: 0 },
      { step: 2, delivered: [], deliveredFrom: 0 },
      { step: 4, delivered: [2, 1], deliveredFrom: 0 },
    ])
  })

  test('are all of them when the code failed by itself', () => {
    const steps = [step(1), call(2, 'succeeded', { delivered: [1] })]
    assert.deepEqual(numbers(steps, { code: 'task_threw', message: 'A bug.' }), [1, 2])
  })

  test('include a failure that the code had dealt with, when it ended with another one', () => {
    const other = { code: 'task_threw', message: 'Something else.' }
    const steps = [failed(1), step(2, { delivered: [1] }), failed(3, other, { delivered: [2], deliveredFrom: 1 })]
    assert.deepEqual(numbers(steps, other), [1, 2])
  })

  test('end before the first failure when the error is the own one of the code', () => {
    const steps = [step(1), failed(2, broke, { delivered: [1] }), step(3, { delivered: [2], deliveredFrom: 1 })]
    assert.deepEqual(numbers(steps, { code: 'task_threw', message: 'It did not work: It broke.' }), [1])
  })

  test('leave out siblings that were cancelled, or failed too, and keep those that went well', () => {
    const steps = [call(1, 'failed'), call(2, 'succeeded'), call(3, 'cancelled'), call(4, 'failed'), call(5, 'pending')]
    assert.deepEqual(numbers(steps, broke), [2])
  })

  test('leave out a group that failed, and keep one that collected its failures', () => {
    const { value: _, ...plain } = step(1)
    const children = [child('succeeded', 0), child('failed', 1)]
    const map = { ...plain, kind: 'map', children } as const
    assert.deepEqual(numbers([{ ...map, policy: 'fail' }], broke), [])
    assert.deepEqual(numbers([{ ...map, policy: 'collect' }], broke), [1])
  })

  test('end before what was undone, and never include the cleaning up', () => {
    const { value: _, ...plain } = step(4)
    const steps = [
      step(1),
      step(2, { compensates: true, delivered: [1] }),
      failed(3, broke, { delivered: [2], deliveredFrom: 1 }),
      { ...plain, kind: 'ending', name: 'failed' } as const,
      { ...step(5), kind: 'compensate' } as const,
    ]
    assert.deepEqual(numbers(steps, broke), [1])
  })

  test('leave out a signal that had not come, and steps whose children are gone', () => {
    const { value: _, ...plain } = step(1)
    const from = 'job-1' as JobId
    assert.deepEqual(numbers([{ ...plain, kind: 'signal' }, step(2)], broke), [2])
    assert.deepEqual(numbers([{ ...plain, kind: 'call', keptFrom: from }], broke), [])
    assert.deepEqual(numbers([{ ...plain, kind: 'map', policy: 'fail', keptFrom: from }], broke), [])
  })

  test('are none of an empty history', () => {
    assert.deepEqual(keptSteps([], broke), [])
  })

  const lost: RecordedError = { code: 'session_lost', message: 'Worker ada of the session was lost: it stopped.' }
  const inSession = (number: number, session: number, over: Partial<RecordedStep> = {}) =>
    call(number, 'succeeded', { session, deliveredFrom: number - 2, delivered: [number - 1], ...over })
  const session = (number: number, over: Partial<RecordedStep> = {}) => step(number, { kind: 'session', ...over })

  test('end before a session of which a step failed, whatever went well in it', () => {
    const failure = { children: [child('failed')] }
    const { value: _, ...begun } = session(2, { delivered: [1] })
    const steps = [step(1), { ...begun, error: broke }, inSession(3, 2), inSession(4, 2, failure)]
    assert.deepEqual(numbers(steps, broke), [1])
  })

  test('end before a session that was going on when the workflow ended', () => {
    const { value: _, ...begun } = session(2, { delivered: [1] })
    const steps = [step(1), begun, inSession(3, 2), failed(4, broke, { deliveredFrom: 2, delivered: [3] })]
    assert.deepEqual(numbers(steps, broke), [1])
  })

  test('go on behind a session that ended well, and one that was lost and begun anew', () => {
    const { value: _, ...begun } = session(1, { name: 'gpu' })
    const steps = [
      { ...begun, error: lost },
      inSession(2, 1, { children: [child('failed', 0, lost)], deliveredFrom: 0, delivered: [1] }),
      session(3, { name: 'gpu', deliveredFrom: 1, delivered: [2] }),
      inSession(4, 3),
      failed(5, broke, { deliveredFrom: 3, delivered: [4] }),
    ]
    assert.deepEqual(numbers(steps, broke), [1, 2, 3, 4])
    assert.deepEqual(numbers(steps, { code: 'task_threw', message: 'Of its own.' }), [1, 2, 3, 4])
  })
})
