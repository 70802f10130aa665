import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcomeOf, type ProgramEnd } from './program-outcome.ts'

const CANCELLED = new Error('cancelled by ada')
const STOPPED = { reason: CANCELLED, graceMs: 5_000, isKilled: false }
const BROKEN = { error: new Error('the artifact could not be kept') }

test('exit 0 gives the result, and null where there was none', () => {
  assert.deepEqual(outcomeOf(end({ result: { value: 7 } })), { result: 7 })
  assert.deepEqual(outcomeOf(end({})), { result: null })
})

test('a failure that was reported counts more than exit 0, a result or an exit code', () => {
  assert.deepEqual(outcomeOf(end({ failure: BROKEN, result: { value: 7 } })), BROKEN)
  assert.deepEqual(outcomeOf(end({ failure: BROKEN, exitCode: 1 })), BROKEN)
})

test('an exit code other than 0 fails the attempt whatever result was written, and quotes stderr', () => {
  const error = errorOf(end({ exitCode: 3, result: { value: 7 }, stderrTail: ['no such', 'file'] }))
  assert.equal(error.code, 'process_exited')
  assert.equal(error.message, 'train.py ended with exit code 3. Its last lines on stderr:\nno such\nfile')
  assert.match(errorOf(end({ exitCode: 137 })).message, /128 \+ SIGKILL; possibly .* out of memory/)
})

test('a signal from elsewhere is told apart, with a hint at memory for SIGKILL only', () => {
  const killed = errorOf(end({ exitCode: null, exitSignal: 'SIGKILL' }))
  assert.equal(killed.code, 'process_killed')
  assert.match(killed.message, /killed by SIGKILL.*possibly .* out of memory/)
  assert.doesNotMatch(errorOf(end({ exitCode: null, exitSignal: 'SIGSEGV' })).message, /memory/)
})

test('a lack of memory is an outcome of its own where it is certain, and a kill alone is not', () => {
  for (const line of [
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    'MemoryError',
    'numpy.core._exceptions._ArrayMemoryError: Unable to allocate 8 GiB',
    "terminate called after throwing an instance of 'std::bad_alloc'",
  ]) {
    const error = errorOf(end({ exitCode: 134, stderrTail: ['before', line] }))
    assert.equal(error.code, 'out_of_memory', line)
    assert.ok(error.message.includes(line))
  }
  for (const how of [{ exitCode: null, exitSignal: 'SIGKILL' }, { exitCode: 137 }]) {
    assert.equal(errorOf(end({ ...how, oomKills: 1 })).code, 'out_of_memory')
    assert.notEqual(errorOf(end(how)).code, 'out_of_memory')
  }
  assert.deepEqual(outcomeOf(end({ stderrTail: ['MemoryError'], result: { value: 7 } })), { result: 7 })
  assert.equal(errorOf(end({ exitCode: 1, stderrTail: ['no MemoryError was seen'] })).code, 'process_exited')
})

test('one that stopped when asked gives the reason it was asked with, however it ended', () => {
  for (const how of [
    { exitCode: null, exitSignal: 'SIGTERM' },
    { exitCode: 143 },
    { exitCode: 0 },
    { failure: BROKEN },
  ])
    assert.deepEqual(outcomeOf(end({ abort: STOPPED, ...how })), { error: CANCELLED })
})

test('one that was asked to stop and yet finished with a result has finished', () => {
  assert.deepEqual(outcomeOf(end({ abort: STOPPED, result: { value: 7 } })), { result: 7 })
})

test('one that was killed after its grace says so, with the reason as its cause', () => {
  const error = errorOf(end({ abort: { ...STOPPED, isKilled: true }, exitCode: null, exitSignal: 'SIGKILL' }))
  assert.equal(error.code, 'killed_after_grace')
  assert.equal(error.cause, CANCELLED)
})

function end(differences: Partial<ProgramEnd>): ProgramEnd {
  return {
    task: 'train',
    program: 'train.py',
    exitCode: 0,
    exitSignal: null,
    result: undefined,
    failure: undefined,
    stderrTail: [],
    oomKills: 0,
    abort: undefined,
    ...differences,
  }
}

function errorOf(ended: ProgramEnd): Error & { code?: string } {
  const outcome = outcomeOf(ended)
  assert.ok('error' in outcome && outcome.error instanceof Error)
  return outcome.error
}
