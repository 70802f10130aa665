import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import type { KeptStep } from '../store.ts'
import { children, type OpenStore, Rig, step } from './rig.ts'

const kept = (...numbers: readonly number[]): readonly KeptStep[] =>
  numbers.map((number) => ({ step: number, delivered: [], deliveredFrom: 0 }))

/** A workflow that failed after a local step, a called child, and a group of two. */
async function failedWorkflow(rig: Rig): Promise<{ readonly id: JobId; readonly children: readonly JobId[] }> {
  const { hand, lease, id } = await rig.workflow()
  const [called, one, two] = [rig.job(), rig.job(), rig.job()]
  await hand.advance(lease, step(1, { value: '"one"' }))
  await hand.advance(lease, children(2, [called], { delivered: [1] }))
  await hand.advance(lease, children(3, [one, two], { policy: 'collect', delivered: [2], deliveredFrom: 1 }))
  for (const claimed of await hand.claim()) {
    if (claimed.lease.jobId === two.id) await hand.fail(claimed.lease)
    else await hand.succeed(claimed.lease, `"${claimed.lease.jobId}"`)
  }
  await hand.advance(lease, step(4, { value: '"four"', delivered: [3], deliveredFrom: 2 }))
  await hand.fail(lease)
  return { id, children: [called.id, one.id, two.id] }
}

export function testRetries(open: OpenStore): void {
  suite('retries', () => {
    test('a workflow that repeats another takes over the steps that it names, with their children', async () => {
      await using rig = await Rig.open(open)
      const old = await failedWorkflow(rig)
      const keeps = [
        { step: 1, delivered: [], deliveredFrom: 0 },
        { step: 2, delivered: [1], deliveredFrom: 0 },
        { step: 3, delivered: [2], deliveredFrom: 1 },
      ]
      const { lease, id } = await rig.workflow({ retryOf: old.id, keeps })
      const [called, one, two] = old.children
      const history = await rig.store.history(lease.row)
      assert.deepEqual(
        history.map(({ step: number, kind, value, delivered, deliveredFrom, keptFrom, children: all }) => ({
          ...{ number, kind, value, delivered, deliveredFrom, keptFrom },
          children: all.map(({ jobId, state }) => [jobId, state]),
        })),
        [
          { number: 1, kind: 'step', value: '"one"', delivered: [], deliveredFrom: 0, keptFrom: old.id, children: [] },
          {
            ...{ number: 2, kind: 'call', value: undefined, delivered: [1], deliveredFrom: 0, keptFrom: old.id },
            children: [[called, 'succeeded']],
          },
          {
            ...{ number: 3, kind: 'map', value: undefined, delivered: [2], deliveredFrom: 1, keptFrom: old.id },
            children: [
              [one, 'succeeded'],
              [two, 'failed'],
            ],
          },
        ],
      )
      assert.deepEqual(await rig.store.steps(id), history)
      assert.equal((await rig.store.job(id))?.retryOf, old.id)
      // They stay the children of the one that called them.
      assert.deepEqual(
        (await rig.store.tree(id, 10)).map((job) => job.id),
        [id],
      )
    })

    test('its claim names the first job that the steps were recorded for, and no other claim names one', async () => {
      await using rig = await Rig.open(open)
      const old = await failedWorkflow(rig)
      const next = await rig.enqueue({
        ...{ task: 'survey', kind: 'workflow', queue: 'flows', retryOf: old.id, keeps: kept(1) },
      })
      const hand = await rig.worker()
      const claimed = await hand.claimOne('flows')
      assert.equal(claimed.seed, old.id)
      await hand.fail(claimed.lease)
      await rig.enqueue({ task: 'survey', kind: 'workflow', queue: 'flows', retryOf: next, keeps: kept(1) })
      const again = await hand.claimOne('flows')
      assert.equal(again.seed, old.id)
      assert.equal((await rig.store.history(again.lease.row))[0]?.keptFrom, old.id)
      await rig.enqueue({ task: 'survey', kind: 'workflow', queue: 'flows', retryOf: next })
      assert.equal('seed' in (await hand.claimOne('flows')), false)
    })

    test('steps that are taken over are answered for, and new ones follow them', async () => {
      await using rig = await Rig.open(open)
      const old = await failedWorkflow(rig)
      const { hand, lease } = await rig.workflow({ retryOf: old.id, keeps: kept(1, 2) })
      const child = rig.job()
      await hand.advance(lease, children(3, [child]))
      await hand.succeed((await hand.claimOne()).lease, '3')
      assert.deepEqual(
        (await rig.store.history(lease.row)).map(({ step: number, keptFrom, children: all }) => [
          ...[number, keptFrom, all.map(({ jobId }) => jobId)],
        ]),
        [
          [1, old.id, []],
          [2, old.id, [old.children[0]]],
          [3, undefined, [child.id]],
        ],
      )
      assert.equal(await hand.succeed(lease), 'settled')
      assert.equal((await rig.store.outcome(old.id))?.state, 'failed')
    })

    test('with a key that was used before nothing is taken over a second time', async () => {
      await using rig = await Rig.open(open)
      const old = await failedWorkflow(rig)
      const idempotency = { scope: 'ada', key: 'again', fingerprint: 'x' }
      const job = () => ({
        ...rig.job({ task: 'survey', kind: 'workflow', queue: 'flows', retryOf: old.id, keeps: kept(1), idempotency }),
      })
      const first = job()
      assert.deepEqual(await rig.store.enqueue([first]), [{ outcome: 'created', id: first.id }])
      assert.deepEqual(await rig.store.enqueue([job()]), [{ outcome: 'existing', id: first.id }])
      assert.equal((await rig.store.steps(first.id)).length, 1)
    })
  })
}
