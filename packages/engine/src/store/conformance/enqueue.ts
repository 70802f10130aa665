import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type OpenStore, Rig } from './rig.ts'

export function testEnqueue(open: OpenStore): void {
  suite('enqueue', () => {
    test('a stored job waits, and says all that was said of it', async () => {
      await using rig = await Rig.open(open)
      const now = rig.clock.now()
      const retryOf = await rig.enqueue()
      const id = await rig.enqueue({
        owner: 'ada',
        tags: ['blue', 'night'],
        priority: -3,
        deadlineAt: now + 9_000,
        retryOf,
      })
      const expected = {
        id,
        task: 'render',
        kind: 'task',
        queue: 'tiles',
        priority: -3,
        attempt: 0,
        createdAt: now,
        tags: ['blue', 'night'],
        owner: 'ada',
        rootId: id,
        retryOf,
        deadlineAt: now + 9_000,
        state: 'waiting',
        wait: 'ready',
        dueAt: now,
      }
      assert.deepEqual(await rig.store.job(id), expected)
      assert.equal(await rig.store.input(id), '{"zoom":3}')
      assert.equal(await rig.store.outcome(id), undefined)
      assert.deepEqual(await rig.store.attempts(id), [])
      assert.deepEqual(await rig.kinds(id), ['queued'])
    })

    test('an input is kept to the letter', async () => {
      await using rig = await Rig.open(open)
      const input = JSON.stringify({ text: 'Ünïcødé \u0000 \u{1F30D} "quotes" \\ \n', long: 'x'.repeat(200_000) })
      assert.equal(await rig.store.input(await rig.enqueue({ input })), input)
    })

    test('a repeated key gives the first job, and stores no second one', async () => {
      await using rig = await Rig.open(open)
      const idempotency = { scope: 'ada', key: 'k1', fingerprint: 'same' }
      const first = await rig.enqueue({ idempotency })
      const again = await rig.store.enqueue([rig.job({ idempotency })])
      assert.deepEqual(again, [{ outcome: 'existing', id: first }])
      assert.equal((await rig.store.jobs({}, { limit: 10 })).jobs.length, 1)
    })

    test('a repeated key of another request is a conflict, and names the job that has it', async () => {
      await using rig = await Rig.open(open)
      const first = await rig.enqueue({ idempotency: { scope: 'ada', key: 'k1', fingerprint: 'one' } })
      const other = rig.job({ idempotency: { scope: 'ada', key: 'k1', fingerprint: 'two' } })
      assert.deepEqual(await rig.store.enqueue([other]), [{ outcome: 'conflict', id: first }])
      assert.equal(await rig.store.job(other.id), undefined)
    })

    test('the same key in another scope is another key', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue({ idempotency: { scope: 'ada', key: 'k1', fingerprint: 'same' } })
      const other = rig.job({ idempotency: { scope: 'bob', key: 'k1', fingerprint: 'same' } })
      assert.deepEqual(await rig.store.enqueue([other]), [{ outcome: 'created', id: other.id }])
    })

    test('a key stays used after its job has ended', async () => {
      await using rig = await Rig.open(open)
      const idempotency = { scope: '', key: 'k1', fingerprint: 'same' }
      const id = await rig.enqueue({ idempotency })
      const ada = await rig.worker()
      await ada.succeed((await ada.claimOne()).lease)
      assert.deepEqual(await rig.store.enqueue([rig.job({ idempotency })]), [{ outcome: 'existing', id }])
    })

    test('two jobs with one key in one call are one job', async () => {
      await using rig = await Rig.open(open)
      const idempotency = { scope: '', key: 'k1', fingerprint: 'same' }
      const [one, two] = [rig.job({ idempotency }), rig.job({ idempotency })]
      const enqueued = await rig.store.enqueue([one, two])
      assert.deepEqual(enqueued, [
        { outcome: 'created', id: one.id },
        { outcome: 'existing', id: one.id },
      ])
    })

    test('of two processes that use one key at once, one creates the job', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const idempotency = { scope: '', key: 'k1', fingerprint: 'same' }
      const enqueued = await Promise.all([rig, other].map(({ store }) => store.enqueue([rig.job({ idempotency })])))
      assert.deepEqual(
        enqueued
          .flat()
          .map(({ outcome }) => outcome)
          .sort(),
        ['created', 'existing'],
      )
      assert.equal(new Set(enqueued.flat().map(({ id }) => id)).size, 1)
    })

    test('when one of several jobs cannot be stored, none is', async () => {
      await using rig = await Rig.open(open)
      const taken = await rig.enqueue()
      const fine = rig.job()
      await assert.rejects(rig.store.enqueue([fine, rig.job({ id: taken })]))
      assert.equal(await rig.store.job(fine.id), undefined)
    })

    test('a call that fails does not take down the calls beside it', async () => {
      await using rig = await Rig.open(open)
      const taken = await rig.enqueue()
      const [before, after] = [rig.job(), rig.job()]
      const calls = [[before], [rig.job({ id: taken })], [after]].map((jobs) => rig.store.enqueue(jobs))
      const outcomes = (await Promise.allSettled(calls)).map(({ status }) => status)
      assert.deepEqual(outcomes, ['fulfilled', 'rejected', 'fulfilled'])
      assert.equal(await rig.state(before.id), 'waiting')
      assert.equal(await rig.state(after.id), 'waiting')
    })

    test('no jobs are no trouble', async () => {
      await using rig = await Rig.open(open)
      assert.deepEqual(await rig.store.enqueue([]), [])
    })

    test('what one process stored, another one reads at once', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const id = await rig.enqueue()
      assert.equal(await other.state(id), 'waiting')
    })

    test('what was stored is there after the store was closed and opened again', async () => {
      const first = await Rig.open(open)
      const id = await first.enqueue()
      await using again = await first.neighbour()
      await first[Symbol.asyncDispose]()
      assert.equal(await again.state(id), 'waiting')
    })
  })
}
