import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import type { Amounts } from '../../routing/resources.ts'
import { type Hand, type OpenStore, Rig } from './rig.ts'

const OFFERS = { cpu: 4, memoryMb: 100 }

async function claimed(hand: Hand, free: Amounts, ...queues: readonly string[]): Promise<JobId[]> {
  const names = queues.length > 0 ? queues : ['tiles']
  const result = await hand.commit({ claim: names.map((queue) => ({ queue, slots: 10 })), free })
  return result.claimed.map(({ lease }) => lease.jobId)
}

export function testRoutingResources(open: OpenStore): void {
  suite('resources', () => {
    test('no more is claimed at once than fits into what is free, the most urgent first', async () => {
      await using rig = await Rig.open(open)
      const [first, large, second] = [
        await rig.enqueue({ needs: { cpu: 2 }, priority: 2 }),
        await rig.enqueue({ needs: { cpu: 3 }, priority: 1 }),
        await rig.enqueue({ needs: { cpu: 2, memoryMb: 60 } }),
      ]
      await rig.enqueue({ needs: { memoryMb: 60 } })
      const plain = await rig.enqueue()
      const hand = await rig.workerWith({ offers: OFFERS })
      assert.deepEqual(await claimed(hand, OFFERS), [first, second, plain])
      assert.deepEqual(await claimed(hand, { cpu: 2.9, memoryMb: 0 }), [])
      assert.deepEqual(await claimed(hand, { cpu: 3, memoryMb: 0 }), [large])
    })

    test('the queues of one commit share what is free', async () => {
      await using rig = await Rig.open(open)
      const tile = await rig.enqueue({ needs: { cpu: 3 } })
      const mail = await rig.enqueue({ needs: { cpu: 2 }, queue: 'mail' })
      const hand = await rig.workerWith({ offers: OFFERS })
      assert.deepEqual(await claimed(hand, OFFERS, 'tiles', 'mail'), [tile])
      assert.deepEqual(await claimed(hand, { cpu: 4 }, 'tiles', 'mail'), [mail])
    })

    test('a job that does not fit for long is passed by smaller ones no more', async () => {
      await using rig = await Rig.open(open)
      const large = await rig.enqueue({ needs: { cpu: 4 } })
      const hand = await rig.workerWith({ offers: OFFERS, leaseMs: 600_000 })
      const small = await rig.enqueue({ needs: { cpu: 1 } })
      assert.deepEqual(await claimed(hand, { cpu: 2, memoryMb: 100 }), [small])
      rig.clock.advance({ ms: 30_000 })
      await rig.enqueue({ needs: { cpu: 1 } })
      await rig.enqueue({ needs: { cpu: 1 }, queue: 'mail' })
      const memory = await rig.enqueue({ needs: { memoryMb: 10 } })
      const urgent = await rig.enqueue({ needs: { cpu: 1 }, priority: 1 })
      // What it does not lack, and what goes before it anyway, is not kept from others.
      assert.deepEqual(await claimed(hand, { cpu: 2, memoryMb: 100 }), [urgent, memory])
      assert.deepEqual(await claimed(hand, { cpu: 2, memoryMb: 100 }, 'mail'), [])
      assert.deepEqual(await claimed(hand, OFFERS), [large])
      assert.equal((await claimed(hand, { cpu: 2, memoryMb: 100 }, 'mail', 'tiles')).length, 2)
    })

    test('a job that could never fit keeps nobody waiting', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue({ needs: { cpu: 5 } })
      rig.clock.advance({ ms: 60_000 })
      const small = await rig.enqueue({ needs: { cpu: 1 } })
      const hand = await rig.workerWith({ offers: OFFERS })
      assert.deepEqual(await claimed(hand, { cpu: 1 }), [small])
    })
  })
}
