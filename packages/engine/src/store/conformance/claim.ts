import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type OpenStore, Rig } from './rig.ts'

export function testClaim(open: OpenStore): void {
  suite('claim', () => {
    test('a claimed job runs, and its worker is told all it needs', async () => {
      await using rig = await Rig.open(open)
      const deadlineAt = rig.clock.now() + 60_000
      const id = await rig.enqueue({ owner: 'ada', priority: 2, deadlineAt })
      const createdAt = rig.clock.now()
      const ada = await rig.worker()
      rig.clock.advance({ ms: 5 })
      const { lease, ...rest } = await ada.claimOne()
      assert.deepEqual(
        { jobId: lease.jobId, attempt: lease.attempt, worker: lease.worker },
        { jobId: id, attempt: 1, worker: ada.id },
      )
      const expected = {
        task: 'render',
        kind: 'task',
        queue: 'tiles',
        priority: 2,
        input: '{"zoom":3}',
        createdAt,
        owner: 'ada',
        deadlineAt,
        failures: 0,
      }
      assert.deepEqual(rest, expected)
      const job = await rig.store.job(id)
      assert.ok(job?.state === 'running')
      assert.deepEqual([job.worker, job.startedAt, job.attempt], [ada.id, createdAt + 5, 1])
      assert.deepEqual(await rig.kinds(id), ['queued', 'started'])
    })

    test('a job is claimed once, by however many workers in however many processes', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const ids = await Promise.all(Array.from({ length: 20 }, () => rig.enqueue()))
      const [ada, bob, eve] = [await rig.worker('ada'), await rig.worker('bob'), await other.worker('eve')]
      const claims = await Promise.all([ada, bob, eve, ada, eve].map((hand) => hand.claim('tiles', 6)))
      const claimed = claims.flat().map(({ lease }) => lease.jobId)
      assert.deepEqual(claimed.sort(), ids.sort())
    })

    test('a worker is given jobs of the tasks that it knows, and leaves the others to others', async () => {
      await using rig = await Rig.open(open)
      const [mask, tile, other] = [
        await rig.enqueue({ task: 'mask' }),
        await rig.enqueue({ task: 'render' }),
        await rig.enqueue({ task: 'mask' }),
      ]
      const painter = await rig.worker('painter', 30_000, ['render', 'frame'])
      const idler = await rig.worker('idler', 30_000, [])
      assert.deepEqual(await idler.claim('tiles', 10), [])
      const claimed = await painter.claim('tiles', 10)
      assert.deepEqual(
        claimed.map(({ lease }) => lease.jobId),
        [tile],
      )
      const rest = await (await rig.worker('anyone')).claim('tiles', 10)
      assert.deepEqual(
        rest.map(({ lease }) => lease.jobId),
        [mask, other],
      )
    })

    test('many jobs that fall due at one instant become claimable bit by bit, those due first first', async () => {
      await using rig = await Rig.open(open)
      const dueAt = rig.clock.now() + 100
      await rig.store.enqueue(Array.from({ length: 2_500 }, () => rig.job({ dueAt: dueAt + 1 })))
      const first = await rig.enqueue({ dueAt })
      rig.clock.advance({ ms: 101 })
      const waiting: number[] = []
      let nextDueAt: number | undefined
      do {
        nextDueAt = (await rig.store.sweep()).nextDueAt
        assert.ok(nextDueAt === undefined || nextDueAt <= rig.clock.now())
        waiting.push((await rig.store.queues())[0]?.waiting ?? 0)
      } while (nextDueAt !== undefined)
      assert.deepEqual(waiting, [1_000, 2_000, 2_501])
      assert.equal((await (await rig.worker()).claimOne()).lease.jobId, first)
    })

    test('no more is claimed than there are slots', async () => {
      await using rig = await Rig.open(open)
      for (let index = 0; index < 5; index++) await rig.enqueue()
      const ada = await rig.worker()
      assert.equal((await ada.claim('tiles', 3)).length, 3)
      assert.equal((await ada.claim('tiles', 0)).length, 0)
      assert.equal((await ada.claim('tiles', 3)).length, 2)
    })

    test('a higher priority goes first, and among equals the one that has been due for longer', async () => {
      await using rig = await Rig.open(open)
      const start = rig.clock.now()
      const late = await rig.enqueue({ dueAt: start + 20 })
      const urgent = await rig.enqueue({ priority: 5, dueAt: start + 30 })
      const early = await rig.enqueue({ dueAt: start + 10 })
      const idle = await rig.enqueue({ priority: -5 })
      rig.clock.advance({ ms: 30 })
      const ada = await rig.worker()
      const order = (await ada.claim()).map(({ lease }) => lease.jobId)
      assert.deepEqual(order, [urgent, early, late, idle])
    })

    test('jobs that fall due at the same instant go in the order in which they came', async () => {
      await using rig = await Rig.open(open)
      const ids = []
      for (let index = 0; index < 10; index++) ids.push(await rig.enqueue())
      const ada = await rig.worker()
      assert.deepEqual(
        (await ada.claim()).map(({ lease }) => lease.jobId),
        ids,
      )
    })

    test('a job is not claimed before it is due', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue({ dueAt: rig.clock.now() + 1_000 })
      const ada = await rig.worker()
      rig.clock.advance({ ms: 999 })
      assert.equal((await ada.claim()).length, 0)
      rig.clock.advance({ ms: 1 })
      assert.equal((await ada.claim()).length, 1)
    })

    test('a queue keeps to itself', async () => {
      await using rig = await Rig.open(open)
      const tile = await rig.enqueue()
      const mail = await rig.enqueue({ queue: 'mail' })
      const ada = await rig.worker()
      assert.deepEqual(
        (await ada.claim('mail')).map(({ lease }) => lease.jobId),
        [mail],
      )
      assert.deepEqual(
        (await ada.claim('tiles')).map(({ lease }) => lease.jobId),
        [tile],
      )
      assert.deepEqual(await ada.claim('empty'), [])
    })

    test('one commit claims from several queues, each up to its own slots', async () => {
      await using rig = await Rig.open(open)
      for (const queue of ['tiles', 'tiles', 'mail', 'mail', 'mail']) await rig.enqueue({ queue })
      const ada = await rig.worker()
      const { claimed } = await ada.commit({
        claim: [
          { queue: 'tiles', slots: 1 },
          { queue: 'mail', slots: 2 },
        ],
      })
      assert.deepEqual(claimed.map(({ queue }) => queue).sort(), ['mail', 'mail', 'tiles'])
    })

    test('a slot that a commit frees can be filled by the same commit', async () => {
      await using rig = await Rig.open(open)
      const [first, second] = [await rig.enqueue(), await rig.enqueue()]
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      assert.equal(lease.jobId, first)
      const settle = [{ lease, outcome: 'succeeded', result: '1' } as const]
      const { settled, claimed } = await ada.commit({ settle, claim: [{ queue: 'tiles', slots: 1 }] })
      assert.deepEqual(settled, ['settled'])
      assert.deepEqual(
        claimed.map((job) => job.lease.jobId),
        [second],
      )
    })

    test('nobody claims who is not a worker of the store', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      await rig.store.removeWorker(ada.id)
      assert.deepEqual(await ada.claim(), [])
      assert.equal(await rig.state(id), 'waiting')
    })
  })
}
