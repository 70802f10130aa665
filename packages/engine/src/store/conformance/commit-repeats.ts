import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { children, ERROR, type OpenStore, Rig, step } from './rig.ts'

// A commit whose answer was lost on its way is said again, word for word: the worker cannot know whether it was heard.
export function testCommitRepeats(open: OpenStore): void {
  suite('a commit that is said again', () => {
    test('does not end a job twice', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      const batch = { settle: [{ lease, outcome: 'succeeded', result: '1' } as const] }
      await ada.commit(batch)
      assert.deepEqual((await ada.commit(batch)).settled, ['lease_lost'])
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'ended succeeded'])
    })

    test('does not send a job to the line twice', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      const batch = { settle: [{ lease, outcome: 'retried', error: ERROR, dueAt: rig.clock.now() } as const] }
      await ada.commit(batch)
      const again = await ada.claimOne()
      assert.deepEqual((await ada.commit(batch)).settled, ['lease_lost'])
      assert.deepEqual([again.failures, again.lease.attempt], [1, 2])
      assert.equal(await ada.succeed(again.lease), 'settled')
    })

    test('records its steps once, and says that they are recorded', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const [child, item] = [rig.job(), rig.job()]
      const batch = {
        advance: [
          { lease, steps: [step(1), children(2, [child]), children(3, [item], { policy: 'collect' as const })] },
        ],
      }
      assert.deepEqual((await hand.commit(batch)).advanced, ['recorded'])
      assert.deepEqual((await hand.commit(batch)).advanced, ['recorded'])
      assert.equal((await rig.store.steps(id)).length, 3)
      assert.equal((await rig.store.tree(id, 10)).length, 3)
      assert.deepEqual(await rig.kinds(child.id), ['queued'])
    })

    test('records what is new beside what is repeated', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      await hand.commit({ advance: [{ lease, steps: [step(1)] }] })
      const advance = [step(1), step(2, { delivered: [1] })].map((next) => ({ lease, steps: [next] }))
      assert.deepEqual((await hand.commit({ advance })).advanced, ['recorded', 'recorded'])
      assert.deepEqual(
        (await rig.store.steps(id)).map(({ delivered }) => delivered),
        [[], [1]],
      )
    })

    test('gets back to the line what it had claimed without being heard', async () => {
      await using rig = await Rig.open(open)
      const [known, unheard] = [await rig.enqueue(), await rig.enqueue()]
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      assert.equal((await ada.claim()).length, 1) // and the answer never came
      const { claimed } = await ada.commit({ holds: [lease], claim: [{ queue: 'tiles', slots: 5 }] })
      assert.deepEqual(
        claimed.map((job) => [job.lease.jobId, job.lease.attempt, job.failures]),
        [[unheard, 2, 0]],
      )
      assert.equal(await ada.succeed(lease), 'settled')
      assert.equal(await rig.state(known), 'succeeded')
      assert.deepEqual(await rig.kinds(unheard), ['queued', 'started', 'released', 'started'])
    })

    test('gets back an attempt that followed another one of the same job unheard', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      const settle = [{ lease, outcome: 'retried', error: ERROR, dueAt: rig.clock.now() } as const]
      const claim = [{ queue: 'tiles', slots: 1 }]
      await ada.commit({ settle, claim }) // and the answer never came
      const { settled, claimed } = await ada.commit({ settle, claim, holds: [lease] })
      assert.deepEqual(settled, ['lease_lost'])
      assert.deepEqual(
        claimed.map((job) => [job.lease.jobId, job.lease.attempt, job.failures]),
        [[id, 3, 1]],
      )
    })

    test('takes nothing from other workers', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const [ada, bob] = [await rig.worker('ada'), await rig.worker('bob')]
      await bob.claimOne()
      await ada.commit({ holds: [] })
      assert.equal(await rig.state(id), 'running')
    })
  })
}
