import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { program, schedule, task, workflow } from '@headrace/engine'
import { createTestEngine, recordHistory, replay } from './index.ts'

const DAY_MS = 86_400_000

const sendMail = task({ name: 'send-mail', run: (_to: string): string => assert.fail('a test sends no mail') })
const remind = workflow({
  name: 'remind',
  async run(to: string, flow) {
    await flow.sleep(3 * DAY_MS)
    return flow.call(sendMail, to)
  },
})
const flaky = task({
  name: 'flaky',
  retry: { attempts: 3, delayMs: 60_000, backoff: 'fixed' },
  run: (_: null, job) => {
    if (job.attempt < 3) throw new Error('Not yet.')
    return job.attempt
  },
})
const approve = workflow({
  name: 'approve',
  run: (_: null, flow) => flow.waitFor<string>('answer', { timeoutMs: 7 * DAY_MS }),
})

suite('the test engine', () => {
  test('a workflow sleeps for days while the clock is turned, and a fake stands in for its task', async () => {
    await using kit = await createTestEngine({ tasks: [sendMail, remind] })
    const mail = kit.replace(sendMail, (to) => `sent to ${to}`)
    const id = await kit.submit(remind, 'ada@example.org')
    await kit.advance({ days: 2, hours: 23 })
    assert.equal((await kit.engine.job(id))?.state, 'waiting')
    assert.deepEqual(mail.calls, [])
    await kit.advance({ hours: 1 })
    assert.deepEqual(mail.calls, ['ada@example.org'])
    assert.equal(await kit.engine.result(id), 'sent to ada@example.org')
    assert.equal(kit.now.toISOString(), '2030-01-04T00:00:00.000Z')
  })

  test('run brings a job to its end, retries with their delays included', async () => {
    await using kit = await createTestEngine({ tasks: [flaky] })
    assert.equal(await kit.run(flaky, null), 3)
    assert.ok(kit.clock.now() - Date.parse('2030-01-01T00:00:00Z') >= 2 * 30_000)
    await assert.rejects(kit.run('flaky', null, { deadlineMs: 10_000 }), { code: 'task_failed' })
  })

  test('a schedule fires as often as it falls due', async () => {
    const nightly = schedule({ name: 'nightly', task: flaky, cron: '30 2 * * *', timeZone: 'Europe/Berlin' })
    await using kit = await createTestEngine({ tasks: [flaky], schedules: [nightly] })
    const runs = kit.replace(flaky, () => 1)
    await kit.advance({ hours: 3 })
    assert.equal(runs.calls.length, 1)
    await kit.advance({ days: 30 })
    assert.equal(runs.calls.length, 31)
  })

  test('a fake may fail, is given up again, and stands in for a program, too', async () => {
    const convert = task<string, string>({ name: 'convert', run: program({ command: ['no-such-program'] }) })
    await using kit = await createTestEngine({ tasks: [convert, flaky] })
    const fake = kit.replace(convert, (input) => input.toUpperCase())
    assert.equal(await kit.run(convert, 'dem'), 'DEM')
    fake.restore()
    await assert.rejects(kit.run(convert, 'dem'), { code: 'task_failed' })
    kit.replace(flaky, () => {
      throw new Error('No more.')
    })
    await assert.rejects(kit.run(flaky, null), /No more/)
  })

  test('time stands still while code runs for real, in tasks and in steps', async () => {
    const slow = task({ name: 'slow', timeoutMs: 60_000, run: () => writeFile('/dev/null', 'x').then(() => 'written') })
    const steps = workflow({
      name: 'steps',
      run: (_: null, flow) => flow.step('write', () => writeFile('/dev/null', 'x').then(() => 'stepped')),
    })
    await using kit = await createTestEngine({ tasks: [slow, steps] })
    const before = kit.clock.now()
    assert.equal(await kit.run(slow, null), 'written')
    assert.equal(await kit.run(steps, null), 'stepped')
    assert.ok(kit.clock.now() - before < 5_000)
  })

  test('code that waits for its timeout is not waited for', async () => {
    const stuck = task({
      name: 'stuck',
      timeoutMs: 3_600_000,
      run: (_: null, job) =>
        new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason))),
    })
    await using kit = await createTestEngine({ tasks: [stuck], patienceMs: 20 })
    await assert.rejects(kit.run(stuck, null), { code: 'task_failed' })
    assert.equal(kit.now.toISOString().slice(0, 13), '2030-01-01T01')
  })

  test('a job that waits for what time does not bring is told of, with what it waits for', async () => {
    const forEver = workflow({ name: 'for-ever', run: (_: null, flow) => flow.waitFor('answer') })
    await using kit = await createTestEngine({ tasks: [approve, forEver] })
    await assert.rejects(kit.run(forEver, null), { code: 'nothing_due', message: /waits for: signal answer/ })
    await assert.rejects(kit.run(approve, null), { code: 'task_failed' })
    const id = await kit.submit(approve, null)
    await kit.engine.signal(id, 'answer', 'yes')
    await kit.end(id)
    assert.equal(await kit.engine.result(id), 'yes')
  })

  test('the clock is turned forward only', async () => {
    await using kit = await createTestEngine({ tasks: [] })
    await assert.rejects(kit.advance({ hours: -1 }), RangeError)
  })

  test('a recorded history is replayed against code that has changed', async () => {
    await using kit = await createTestEngine({ tasks: [sendMail, remind] })
    kit.replace(sendMail, () => 'sent')
    const id = await kit.submit(remind, 'ada@example.org')
    await kit.end(id)
    const history = await recordHistory(kit.engine, id)
    assert.equal((await replay(remind, history)).difference, undefined)
    const hasty = workflow({ name: 'remind', run: (to: string, flow) => flow.call(sendMail, to) })
    const { difference } = await replay(hasty, history)
    assert.deepEqual(difference, { step: 1, recorded: `sleep ${3 * DAY_MS} ms`, now: 'call send-mail' })
  })
})
