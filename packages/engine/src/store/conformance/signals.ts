import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import type { NewStep } from '../store.ts'
import { type OpenStore, Rig } from './rig.ts'

function waitFor(step: number, name: string, dueAt?: number): NewStep {
  return { step, kind: 'signal', name, delivered: [], deliveredFrom: 0, ...(dueAt !== undefined && { dueAt }) }
}

const TIMED_OUT = { code: 'signal_timeout', message: 'No signal go came in time.', retryable: false }

export function testSignals(open: OpenStore): void {
  suite('signals', () => {
    test('a signal that is waited for releases the wait, with its value', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      await hand.advance(lease, waitFor(1, 'go'))
      using hints = rig.hints()
      assert.equal(await rig.store.signal(id, 'go', '{"by":"ada"}'), 'delivered')
      assert.ok(hints.some((hint) => hint.released?.includes(id)))
      const released = [{ parentId: id, step: 1, value: '{"by":"ada"}' }]
      assert.deepEqual(await rig.store.releases([{ row: lease.row, step: 1 }]), released)
      const [recorded] = await rig.store.history(lease.row)
      assert.equal(recorded?.value, '{"by":"ada"}')
    })

    test('a signal that comes early is kept, and is there at once when it is waited for', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ task: 'survey', kind: 'workflow', queue: 'flows' })
      assert.equal(await rig.store.signal(id, 'go', '7'), 'kept')
      const hand = await rig.worker()
      const { lease } = await hand.claimOne('flows')
      const { released } = await hand.commit({ advance: [{ lease, steps: [waitFor(1, 'go')] }] })
      assert.deepEqual(released, [{ parentId: id, step: 1, value: '7' }])
      assert.equal((await rig.store.history(lease.row))[0]?.value, '7')
    })

    test('the nth wait for a name gets the nth signal of that name, and of no other', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      await rig.store.signal(id, 'go', '1')
      await rig.store.signal(id, 'halt', '0')
      await hand.advance(lease, waitFor(1, 'go'), waitFor(2, 'go'), waitFor(3, 'go'))
      await rig.store.signal(id, 'go', '2')
      await rig.store.signal(id, 'go', '3')
      await rig.store.signal(id, 'go', '4')
      await hand.advance(lease, waitFor(4, 'go'))
      const values = (await rig.store.history(lease.row)).map(({ value }) => value)
      assert.deepEqual(values, ['1', '2', '3', '4'])
    })

    test('a signal with a key that was used before changes nothing', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      assert.equal(await rig.store.signal(id, 'go', '1', 'a'), 'kept')
      assert.equal(await rig.store.signal(id, 'go', '2', 'a'), 'kept')
      await hand.advance(lease, waitFor(1, 'go'), waitFor(2, 'go'))
      assert.equal(await rig.store.signal(id, 'go', '3', 'a'), 'delivered')
      assert.equal(await rig.store.signal(id, 'halt', '4', 'a'), 'kept')
      assert.deepEqual(
        (await rig.store.history(lease.row)).map(({ value }) => value),
        ['1', undefined],
      )
    })

    test('a wait whose time has passed ends with an error, once; a later signal is kept for the next wait', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const dueAt = rig.clock.now() + 60_000
      await hand.advance(lease, waitFor(1, 'go', dueAt))
      assert.equal((await rig.store.sweep()).nextDueAt, dueAt)
      rig.clock.advance({ ms: 60_000 })
      await rig.store.sweep()
      const released = [{ parentId: id, step: 1, error: TIMED_OUT }]
      assert.deepEqual(await rig.store.releases([{ row: lease.row, step: 1 }]), released)
      assert.equal(await rig.store.signal(id, 'go', '1'), 'kept')
      assert.deepEqual(await rig.store.releases([{ row: lease.row, step: 1 }]), released)
      await hand.advance(lease, waitFor(2, 'go', dueAt))
      assert.equal((await rig.store.history(lease.row))[1]?.value, '1')
    })

    test('a signal that came in time is not taken back when its time passes', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      await hand.advance(lease, waitFor(1, 'go', rig.clock.now() + 1_000))
      await rig.store.signal(id, 'go', '1')
      rig.clock.advance({ ms: 1_000 })
      await rig.store.sweep()
      const [recorded] = await rig.store.history(lease.row)
      assert.deepEqual([recorded?.value, recorded?.error], ['1', undefined])
    })

    test('a signal to nobody, to a task, or to a job that has ended is refused', async () => {
      await using rig = await Rig.open(open)
      const task = await rig.enqueue()
      const { hand, lease, id } = await rig.workflow()
      await hand.succeed(lease)
      const nobody = '0198c2f0-0000-7000-8000-000000000000' as JobId
      assert.equal(await rig.store.signal(nobody, 'go', '1'), 'unknown_job')
      assert.equal(await rig.store.signal(task, 'go', '1'), 'not_a_workflow')
      assert.equal(await rig.store.signal(id, 'go', '1'), 'already_ended')
    })

    test('a workflow that waits for a signal rests: the loss of its worker is not held against it', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ kind: 'workflow', queue: 'flows' })
      for (let round = 0; round < 7; round++) {
        await using doomed = await rig.frozen()
        const hand = await doomed.worker('doomed', 1_000)
        const { lease } = await hand.claimOne('flows')
        if (round === 0) await hand.advance(lease, waitFor(1, 'go'))
        await rig.lapse(1_000)
      }
      assert.equal(await rig.state(id), 'waiting')
    })

    test('each signal is an event of its job', async () => {
      await using rig = await Rig.open(open)
      const { id } = await rig.workflow()
      await rig.store.signal(id, 'go', '1')
      const events = await rig.store.events({ after: 0, limit: 10, jobId: id, kinds: ['signal'] })
      assert.deepEqual(
        events.map(({ data }) => data),
        [{ name: 'go' }],
      )
    })
  })
}
