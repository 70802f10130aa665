import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type OpenStore, Rig } from './rig.ts'

export function testWorkers(open: OpenStore): void {
  suite('workers', () => {
    test('a worker is listed with what it serves and what it runs, until it says goodbye', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue()
      await rig.enqueue()
      const ada = await rig.worker('ada', 30_000)
      await ada.claim()
      const [listed, ...others] = await rig.store.workers()
      assert.ok(listed)
      assert.equal(others.length, 0)
      const now = rig.clock.now()
      const { host, pid, ...rest } = listed
      assert.ok(host !== '' && pid > 0)
      const expected = {
        id: ada.id,
        name: 'ada',
        queues: { tiles: 10 },
        leaseMs: 30_000,
        startedAt: now,
        leaseUntil: now + 30_000,
        running: 2,
      }
      assert.deepEqual(rest, expected)
      await rig.store.removeWorker(ada.id)
      assert.deepEqual(await rig.store.workers(), [])
    })

    test('a worker that says goodbye hands its jobs back unharmed', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const [ada, bob] = [await rig.worker('ada'), await rig.worker('bob')]
      const { lease } = await ada.claimOne()
      await rig.store.removeWorker(ada.id)
      const next = await bob.claimOne()
      assert.deepEqual([next.lease.attempt, next.failures], [2, 0])
      assert.equal(await ada.succeed(lease), 'lease_lost')
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'released', 'started'])
    })

    test('a worker that nobody knows may be forgotten too', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const eve = await other.worker('eve')
      await rig.store.removeWorker(eve.id)
      assert.equal((await rig.store.workers()).length, 1)
    })

    test('a store that closes hands back what its workers held', async () => {
      await using rig = await Rig.open(open)
      const other = await rig.neighbour()
      const id = await rig.enqueue()
      await (await other.worker('eve')).claimOne()
      await other[Symbol.asyncDispose]()
      assert.equal(await rig.state(id), 'waiting')
      assert.deepEqual(await rig.store.workers(), [])
    })

    test('a store may be closed twice', async () => {
      await using rig = await Rig.open(open)
      await rig.store[Symbol.asyncDispose]()
    })

    test('a lease is renewed for as long as its process runs', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker('ada', 30_000)
      const { lease } = await ada.claimOne()
      for (let minute = 0; minute < 5; minute++) {
        await rig.clock.pass({ ms: 60_000 })
        assert.equal((await rig.store.sweep()).lostWorkers, 0)
      }
      assert.deepEqual(ada.lost, [])
      assert.equal(await ada.succeed(lease), 'settled')
      assert.equal(await rig.state(id), 'succeeded')
    })

    test('a lease that is not renewed holds to its last instant, and not a moment longer', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const id = await rig.enqueue()
      await (await frozen.worker('ada', 30_000)).claimOne()
      rig.clock.advance({ ms: 29_999 })
      assert.deepEqual(await swept(rig), { lostWorkers: 0, returnedJobs: 0 })
      rig.clock.advance({ ms: 1 })
      assert.deepEqual(await swept(rig), { lostWorkers: 1, returnedJobs: 1 })
      assert.equal(await rig.state(id), 'waiting')
      assert.deepEqual(await swept(rig), { lostWorkers: 0, returnedJobs: 0 })
    })

    test('a worker that comes back after its lease was taken is told, and holds nothing any more', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      await rig.enqueue()
      const ada = await frozen.worker('ada', 30_000)
      const { lease } = await ada.claimOne()
      await rig.lapse(30_000)
      await frozen.clock.pass({ ms: 30_002 })
      assert.equal(ada.lost.length, 1)
      assert.deepEqual(await ada.claim(), [])
      assert.equal(await ada.succeed(lease), 'lease_lost')
    })

    test('a worker that comes back before anybody missed it goes on', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      await rig.enqueue()
      const ada = await frozen.worker('ada', 30_000)
      const { lease } = await ada.claimOne()
      rig.clock.advance({ ms: 25_000 })
      await frozen.clock.pass({ ms: 25_000 })
      await swept(rig)
      rig.clock.advance({ ms: 20_000 })
      assert.deepEqual(await swept(rig), { lostWorkers: 0, returnedJobs: 0 })
      assert.equal(await ada.succeed(lease), 'settled')
      assert.deepEqual(ada.lost, [])
    })

    test('two workers of one process hold their own jobs each', async () => {
      await using rig = await Rig.open(open)
      const [one, two] = [await rig.enqueue(), await rig.enqueue()]
      const [ada, bob] = [await rig.worker('ada'), await rig.worker('bob')]
      await ada.claimOne()
      await bob.claimOne()
      await rig.store.removeWorker(ada.id)
      assert.deepEqual([await rig.state(one), await rig.state(two)], ['waiting', 'running'])
    })

    test('a store that works says so', async () => {
      await using rig = await Rig.open(open)
      await rig.store.check()
    })
  })
}

async function swept(rig: Rig): Promise<{ lostWorkers: number; returnedJobs: number }> {
  const { lostWorkers, returnedJobs } = await rig.store.sweep()
  return { lostWorkers, returnedJobs }
}
