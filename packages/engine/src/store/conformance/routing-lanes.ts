import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import { children, type Hand, type OpenStore, Rig } from './rig.ts'

/** Claims all that can be claimed. */
async function claimed(hand: Hand, queue = 'tiles'): Promise<JobId[]> {
  return (await hand.claim(queue, 100)).map(({ lease }) => lease.jobId)
}

export function testRoutingLanes(open: OpenStore): void {
  suite('lanes: who may take a job', () => {
    test('a job goes to a worker that has all its labels', async () => {
      await using rig = await Rig.open(open)
      const plain = await rig.enqueue()
      const gpu = await rig.enqueue({ labels: ['gpu'] })
      const european = await rig.enqueue({ labels: ['region=eu', 'gpu'] })
      assert.deepEqual(await claimed(await rig.worker('bare')), [plain])
      assert.deepEqual(await claimed(await rig.workerWith({ labels: ['gpu', 'fast'] })), [gpu])
      assert.deepEqual(await claimed(await rig.workerWith({ labels: ['region=us', 'gpu'] })), [])
      assert.deepEqual(await claimed(await rig.workerWith({ labels: ['gpu', 'region=eu'] })), [european])
    })

    test('of all that a worker may take, the most urgent goes first, whatever it asks for', async () => {
      await using rig = await Rig.open(open)
      const ids = [
        await rig.enqueue({ priority: 1 }),
        await rig.enqueue({ priority: 1, labels: ['gpu'] }),
        await rig.enqueue({ priority: 1, task: 'mask' }),
        await rig.enqueue({ priority: 1 }),
        await rig.enqueue({ priority: 1, needs: { cpu: 1 } }),
      ]
      const urgent = await rig.enqueue({ priority: 2, labels: ['gpu'], task: 'mask' })
      await rig.enqueue({ priority: 9, labels: ['tpu'] })
      const hand = await rig.workerWith({ labels: ['gpu'], offers: { cpu: 4 } })
      assert.deepEqual(await claimed(hand), [urgent, ...ids])
    })

    test('a lane that another process has made is seen', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const hand = await rig.workerWith({ labels: ['gpu'] })
      assert.deepEqual(await claimed(hand), [])
      const job = await other.enqueue({ labels: ['gpu'] })
      assert.deepEqual(await claimed(hand), [job])
      // And one that it has made after that, of which this process knows already.
      const next = await other.enqueue({ labels: ['gpu'] })
      assert.deepEqual(await claimed(hand), [next])
    })

    test('a worker takes jobs of its own deployment alone, and one without a deployment those without', async () => {
      await using rig = await Rig.open(open)
      const [blue, green, none] = [
        await rig.enqueue({ deployment: 'blue' }),
        await rig.enqueue({ deployment: 'green' }),
        await rig.enqueue({ deployment: '' }),
      ]
      assert.deepEqual(await claimed(await rig.worker()), [none])
      assert.deepEqual(await claimed(await rig.workerWith({ deployment: 'blue' })), [blue])
      assert.deepEqual(await claimed(await rig.workerWith({ deployment: 'green' })), [green])
    })

    test("stack leak: a job's children and theirs stay on its deployment, whatever they ask for", async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ task: 'survey', kind: 'workflow', deployment: 'blue' })
      const [blue, green, none] = [
        await rig.workerWith({ deployment: 'blue' }),
        await rig.workerWith({ deployment: 'green' }),
        await rig.worker(),
      ]
      const { lease, deployment } = await blue.claimOne()
      assert.deepEqual([lease.jobId, deployment], [id, 'blue'])
      const sub = rig.job({ task: 'survey', kind: 'workflow' })
      const group = [rig.job(), rig.job({ deployment: 'green' }), rig.job({ deployment: '' })]
      const started = rig.job()
      await blue.advance(
        lease,
        children(1, [sub]),
        children(2, group, { policy: 'collect' }),
        children(3, [started], { kind: 'start', attached: false }),
      )
      for (const stranger of [green, none]) assert.deepEqual(await claimed(stranger), [])
      const below = await blue.claim()
      assert.deepEqual(
        below.map((job) => job.lease.jobId),
        [sub, ...group, started].map((job) => job.id),
      )
      const grandchild = rig.job()
      await blue.advance(below[0]?.lease ?? assert.fail(), children(1, [grandchild]))
      for (const stranger of [green, none]) assert.deepEqual(await claimed(stranger), [])
      assert.equal((await rig.store.job(grandchild.id))?.deployment, 'blue')
      assert.deepEqual(await claimed(blue), [grandchild.id])
    })

    test('a worker is given no job that needs more than it offers in all', async () => {
      await using rig = await Rig.open(open)
      const needs = { cpu: 2, memoryMb: 500, slots: { licence: 1 } }
      const large = await rig.enqueue({ needs })
      const plain = await rig.enqueue()
      const small = await rig.enqueue({ needs: { cpu: 1 } })
      const poor = await rig.workerWith({ offers: { cpu: 2, memoryMb: 499, slots: { licence: 1 } } })
      assert.deepEqual(await claimed(poor), [plain, small])
      const rich = await rig.workerWith({ offers: { cpu: 2, memoryMb: 500, slots: { licence: 1 } } })
      const job = await rich.claimOne()
      assert.deepEqual([job.lease.jobId, job.needs], [large, needs])
    })

    test('a worker that does not say what it offers is given whatever a job needs', async () => {
      await using rig = await Rig.open(open)
      const job = await rig.enqueue({ needs: { gpuMemoryMb: 80_000 } })
      assert.deepEqual(await claimed(await rig.worker()), [job])
    })

    test('what a job asks for, and what a worker is, can be read', async () => {
      await using rig = await Rig.open(open)
      const needs = { cpu: 2, slots: { licence: 1 } }
      const id = await rig.enqueue({ deployment: 'blue', labels: ['b', 'a'], needs })
      const job = await rig.store.job(id)
      assert.deepEqual([job?.deployment, job?.labels, job?.needs], ['blue', ['a', 'b'], needs])
      const bare = await rig.store.job(await rig.enqueue())
      assert.deepEqual([bare?.deployment, bare?.labels, bare?.needs], [undefined, undefined, undefined])
      const traits = { deployment: 'blue', labels: ['gpu'], offers: { cpu: 4 } }
      await rig.workerWith(traits)
      const [worker] = await rig.store.workers()
      assert.ok(worker)
      const { deployment, labels, offers } = worker
      assert.deepEqual({ deployment, labels, offers }, traits)
    })
  })
}
