import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import { children, type Hand, type OpenStore, Rig } from './rig.ts'

async function claimed(hand: Hand): Promise<JobId[]> {
  return (await hand.claim('tiles', 100)).map(({ lease }) => lease.jobId)
}

async function states(rig: Rig): Promise<Record<string, string>> {
  const rows = await rig.store.deployments()
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]).sort())
}

export function testRoutingDeployments(open: OpenStore): void {
  suite('deployments', () => {
    test('a name that a worker or a job uses first is dark, and gets only what names it', async () => {
      await using rig = await Rig.open(open)
      const blue = await rig.workerWith({ deployment: 'blue' })
      const named = await rig.enqueue({ deployment: 'green' })
      const plain = await rig.enqueue()
      assert.deepEqual(await states(rig), { blue: 'dark', green: 'dark' })
      assert.deepEqual(await claimed(blue), [])
      assert.deepEqual(await claimed(await rig.worker()), [plain])
      assert.deepEqual(await claimed(await rig.workerWith({ deployment: 'green' })), [named])
      const [row] = (await rig.store.deployments()).filter(({ name }) => name === 'green')
      const counts = { live: 1, running: 1, workers: 1 }
      assert.deepEqual({ ...row }, { name: 'green', state: 'dark', ...counts, changedAt: rig.clock.now() })
    })

    test('what names no deployment goes to the promoted one, and the one before it drains', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const [blue, green] = [
        await rig.workerWith({ deployment: 'blue' }),
        await other.workerWith({ deployment: 'green' }),
      ]
      assert.equal(await rig.store.changeDeployment('blue', 'active'), 'changed')
      const first = await rig.enqueue()
      assert.equal(await other.store.changeDeployment('green', 'active'), 'changed')
      assert.deepEqual(await states(rig), { blue: 'draining', green: 'active' })
      const second = await rig.enqueue()
      const none = await rig.enqueue({ deployment: '' })
      assert.deepEqual(await claimed(green), [second])
      assert.deepEqual(await claimed(blue), [first])
      assert.deepEqual(await claimed(await rig.worker()), [none])
    })

    test('stack leak: a draining stack finishes what it has, its children included, and takes nothing new', async () => {
      await using rig = await Rig.open(open)
      const [blue, green] = [
        await rig.workerWith({ deployment: 'blue' }),
        await rig.workerWith({ deployment: 'green' }),
      ]
      await rig.store.changeDeployment('blue', 'active')
      await rig.enqueue({ task: 'survey', kind: 'workflow' })
      const { lease } = await blue.claimOne()
      await rig.store.changeDeployment('green', 'active')
      const refused = rig.job({ deployment: 'blue' })
      assert.deepEqual(await rig.store.enqueue([refused]), [
        { outcome: 'rejected', id: refused.id, why: 'deployment_draining' },
      ])
      const child = rig.job()
      assert.equal(await blue.advance(lease, children(1, [child])), 'recorded')
      assert.deepEqual(await claimed(green), [])
      await rig.store.sweep()
      assert.deepEqual(await states(rig), { blue: 'draining', green: 'active' })
      const below = await blue.claimOne()
      assert.equal(below.lease.jobId, child.id)
      await blue.succeed(below.lease)
      await blue.succeed(lease)
      await rig.store.sweep()
      assert.deepEqual(await states(rig), { blue: 'retired', green: 'active' })
    })

    test('a retired one refuses jobs and gives its workers none, until it is promoted again', async () => {
      await using rig = await Rig.open(open)
      const blue = await rig.workerWith({ deployment: 'blue' })
      assert.equal(await rig.store.changeDeployment('blue', 'retired'), 'changed')
      const refused = rig.job({ deployment: 'blue' })
      assert.deepEqual(await rig.store.enqueue([refused]), [
        { outcome: 'rejected', id: refused.id, why: 'deployment_retired' },
      ])
      assert.equal(await rig.store.changeDeployment('blue', 'active'), 'changed')
      const job = await rig.enqueue()
      assert.deepEqual(await claimed(blue), [job])
    })

    test('one of which jobs live is not retired, unless they are to be cancelled', async () => {
      await using rig = await Rig.open(open)
      const blue = await rig.workerWith({ deployment: 'blue' })
      const running = await rig.enqueue({ deployment: 'blue' })
      const waiting = await rig.enqueue({ deployment: 'blue' })
      const { lease } = await blue.claimOne()
      assert.equal(await rig.store.changeDeployment('blue', 'retired'), 'busy')
      assert.deepEqual(await states(rig), { blue: 'dark' })
      assert.equal(await rig.store.changeDeployment('blue', 'retired', { force: true }), 'changed')
      assert.equal(await rig.state(waiting), 'cancelled')
      assert.equal((await rig.store.cancelRequests(blue.id)).length, 1)
      assert.equal(await blue.succeed(lease), 'cancelled')
      assert.equal(await rig.state(running), 'cancelled')
    })

    test('one that nobody named is unknown', async () => {
      await using rig = await Rig.open(open)
      assert.equal(await rig.store.changeDeployment('teal', 'active'), 'unknown')
      assert.deepEqual(await rig.store.deployments(), [])
    })

    test('a retry goes where its job was, or to the active one when that takes no more', async () => {
      await using rig = await Rig.open(open)
      const first = await rig.enqueue({ deployment: 'blue' })
      await rig.store.cancel(first, 'enough')
      const there = await rig.enqueue({ deployment: 'blue', retryOf: first })
      assert.equal((await rig.store.job(there))?.deployment, 'blue')
      await rig.store.cancel(there, 'enough')
      await rig.store.changeDeployment('blue', 'retired')
      await rig.workerWith({ deployment: 'green' })
      await rig.store.changeDeployment('green', 'active')
      const elsewhere = await rig.enqueue({ deployment: 'blue', retryOf: first })
      assert.equal((await rig.store.job(elsewhere))?.deployment, 'green')
    })
  })
}
