import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Clock } from '../clock/clock.ts'
import type { JobId, WorkerId } from '../job/job.ts'
import { Payloads } from '../payload/payloads.ts'
import { type Task, task } from '../task/task.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { Attempt } from './attempt.ts'

const DAY_MS = 86_400_000

/** An attempt on a clock whose timers are cut short at 2^31 - 1 ms, as the system's are. */
function begin(task: Task<null, unknown>, deadlineAt?: number) {
  const time = new ManualClock(0)
  const clock: Clock = {
    now: () => time.now(),
    setTimeout: (fn, delayMs) => time.setTimeout(fn, Math.min(delayMs, 2_147_483_647)),
    defer: (fn) => time.defer(fn),
  }
  const claimed = {
    lease: { jobId: 'job' as JobId, attempt: 1, worker: 'ada' as WorkerId, row: 1 },
    task: task.name,
    kind: 'task' as const,
    queue: 'default',
    priority: 0,
    input: 'null',
    createdAt: 0,
    failures: 0,
    ...(deadlineAt !== undefined && { deadlineAt }),
  }
  const services = {
    clock,
    payloads: new Payloads(undefined),
    random: () => 0,
    tell: () => {},
    keepArtifact: () => Promise.reject(new Error('nothing is kept here')),
    drained: () => Promise.resolve(),
  }
  // Sound: the input is the very null that this task takes.
  const attempt = new Attempt(claimed, task as Task, services)
  return { time, attempt, ended: attempt.run() }
}

function untilStopped(options: { readonly timeoutMs?: number }) {
  const run = (_: null, job: { readonly signal: AbortSignal }) =>
    new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)))
  return task({ name: 'long', run, ...options })
}

suite('an attempt of more than 24.8 days', () => {
  test('ends at its timeout, and not when the system cuts the timer short', async () => {
    const { time, attempt, ended } = begin(untilStopped({ timeoutMs: 40 * DAY_MS }))
    await time.pass({ ms: 40 * DAY_MS - 1 })
    assert.equal(attempt.signal.aborted, false)
    await time.pass({ ms: 1 })
    const settlement = await ended
    assert.ok(settlement?.outcome === 'failed')
    assert.equal(settlement.error.code, 'attempt_timeout')
  })

  test('ends at its deadline, and not when the system cuts the timer short', async () => {
    const { time, attempt, ended } = begin(untilStopped({}), 60 * DAY_MS)
    await time.pass({ ms: 60 * DAY_MS - 1 })
    assert.equal(attempt.signal.aborted, false)
    await time.pass({ ms: 1 })
    const settlement = await ended
    assert.ok(settlement?.outcome === 'failed')
    assert.equal(settlement.error.code, 'deadline_exceeded')
  })
})
