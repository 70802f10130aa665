import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type OpenStore, Rig } from './rig.ts'

/** A transaction of a caller's own, with a table `notes` that stands for its own data. */
export type CallersTransaction = {
  /** What is given to `enqueueIn`. */
  readonly handle: unknown
  write(note: string): Promise<void>
  commit(): Promise<void>
  rollBack(): Promise<void>
}

/** One way in which a caller may write beside the store, such as `a pg client`. */
export type CallersConnection = {
  readonly name: string
  /** A connection to the database of the stores that are opened with this `place`. It makes its table `notes`. */
  open(place: string): Promise<{
    begin(): Promise<CallersTransaction>
    notes(): Promise<readonly string[]>
    /** The same thing outside of any transaction. */
    readonly outside: unknown
    close(): Promise<void>
  }>
}

export function testTransactions(open: OpenStore, connection: CallersConnection): void {
  suite(`enqueue inside ${connection.name}`, () => {
    async function setUp() {
      const rig = await Rig.open(open)
      const caller = await connection.open(rig.place)
      return {
        rig,
        caller,
        async [Symbol.asyncDispose]() {
          await caller.close()
          await rig[Symbol.asyncDispose]()
        },
      }
    }

    test('a job of a transaction exists once that has committed, and not before', async () => {
      await using both = await setUp()
      const { rig, caller } = both
      const transaction = await caller.begin()
      const job = rig.job({ tags: ['blue'], owner: 'ada' })
      await transaction.write('paid')
      assert.deepEqual(await rig.store.enqueueIn(transaction.handle, [job]), [{ outcome: 'created', id: job.id }])
      assert.equal(await rig.store.job(job.id), undefined)
      await transaction.commit()
      assert.deepEqual(await caller.notes(), ['paid'])
      assert.equal(await rig.state(job.id), 'waiting')
      assert.deepEqual(await rig.kinds(job.id), ['queued'])
      const ada = await rig.worker()
      assert.equal((await ada.claimOne()).lease.jobId, job.id)
    })

    test('a job of a transaction that was rolled back never existed', async () => {
      await using both = await setUp()
      const { rig, caller } = both
      const transaction = await caller.begin()
      const job = rig.job({ task: 'never-seen-before' })
      await transaction.write('paid')
      await rig.store.enqueueIn(transaction.handle, [job])
      await transaction.rollBack()
      assert.deepEqual(await caller.notes(), [])
      assert.equal(await rig.store.job(job.id), undefined)
      assert.equal(await rig.store.lastCursor(), 0)
      const ada = await rig.worker()
      assert.deepEqual(await ada.claim(), [])
      // Nothing of what the transaction had made is believed to be there.
      const again = await caller.begin()
      await rig.store.enqueueIn(again.handle, [job])
      await again.commit()
      assert.equal((await ada.claimOne()).task, 'never-seen-before')
    })

    test('a key that was used inside is used outside, and the other way round', async () => {
      await using both = await setUp()
      const { rig, caller } = both
      const idempotency = { scope: 'ada', key: 'k1', fingerprint: 'same' }
      const id = await rig.enqueue({ idempotency })
      const transaction = await caller.begin()
      const other = { ...idempotency, fingerprint: 'other' }
      const fresh = rig.job({ idempotency: { ...idempotency, key: 'k2' } })
      const jobs = [rig.job({ idempotency }), rig.job({ idempotency: other }), fresh]
      assert.deepEqual(await rig.store.enqueueIn(transaction.handle, jobs), [
        { outcome: 'existing', id },
        { outcome: 'conflict', id },
        { outcome: 'created', id: fresh.id },
      ])
      await transaction.commit()
      const again = await rig.store.enqueue([rig.job({ idempotency: { ...idempotency, key: 'k2' } })])
      assert.deepEqual(again, [{ outcome: 'existing', id: fresh.id }])
    })

    test('a call that fails stores nothing, and leaves the transaction usable', async () => {
      await using both = await setUp()
      const { rig, caller } = both
      const taken = await rig.enqueue()
      const transaction = await caller.begin()
      const [fine, later] = [rig.job(), rig.job()]
      await assert.rejects(rig.store.enqueueIn(transaction.handle, [fine, rig.job({ id: taken })]))
      await transaction.write('all the same')
      await rig.store.enqueueIn(transaction.handle, [later])
      await transaction.commit()
      assert.equal(await rig.store.job(fine.id), undefined)
      assert.equal(await rig.state(later.id), 'waiting')
      assert.deepEqual(await caller.notes(), ['all the same'])
    })

    test('once the transaction is over, the workers of the queue are woken', async () => {
      await using both = await setUp()
      const { rig, caller } = both
      const transaction = await caller.begin()
      await rig.store.enqueueIn(transaction.handle, [rig.job(), rig.job({ dueAt: rig.clock.now() + 5_000 })])
      using hints = rig.hints()
      await transaction.commit()
      await rig.clock.until(async () => hints.some(({ queues }) => queues?.includes('tiles')))
      assert.ok(hints.some(({ dueAt }) => dueAt !== undefined))
    })

    test('what is no transaction, or is over, or is on another database is refused', async () => {
      await using both = await setUp()
      await using elsewhere = await setUp()
      const { rig, caller } = both
      const refused = (handle: unknown) =>
        assert.rejects(rig.store.enqueueIn(handle, [rig.job()]), { code: 'transaction_refused' })
      await refused(undefined)
      await refused({ query: 'insert' })
      await refused(caller.outside)
      const over = await caller.begin()
      await over.commit()
      await refused(over.handle)
      const foreign = await elsewhere.caller.begin()
      await refused(foreign.handle)
      await foreign.rollBack()
      assert.equal((await rig.store.jobs({}, { limit: 1 })).jobs.length, 0)
    })
  })
}
