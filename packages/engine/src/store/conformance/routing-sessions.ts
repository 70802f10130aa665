import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import type { Lease, NewJob, NewStep } from '../store.ts'
import { children, ERROR, type Hand, type OpenStore, Rig, step } from './rig.ts'

/** The step by which a session begins, on the queue of all its jobs. */
function session(number: number, over: Partial<NewStep> = {}): NewStep {
  const { value: _, ...begun } = step(number, { kind: 'session', name: 'tiles' })
  return { ...begun, ...over }
}

type Opened = { readonly hand: Hand; readonly lease: Lease; readonly id: JobId; readonly jobs: readonly NewJob[] }

/** A workflow whose first step is a session, and whose second a group of it. */
async function opened(
  rig: Rig,
  size: number,
  over: Partial<NewStep> & { job?: Partial<NewJob> } = {},
): Promise<Opened> {
  const { job, ...group } = over
  const workflow = await rig.workflow()
  const jobs = Array.from({ length: size }, (_, item) => rig.job({ input: String(item), ...job }))
  const second = children(2, jobs, { policy: 'collect', session: 1, ...group })
  assert.equal(await workflow.hand.advance(workflow.lease, session(1), second), 'recorded')
  return { ...workflow, jobs }
}

async function ends(rig: Rig, jobs: readonly { readonly id: JobId }[]): Promise<(string | undefined)[]> {
  const outcomes = await Promise.all(jobs.map(({ id }) => rig.store.outcome(id)))
  return outcomes.map((outcome) => outcome?.error?.code ?? outcome?.state)
}

export function testRoutingSessions(open: OpenStore): void {
  suite('sessions', () => {
    test('whoever claims the first job of a session has all the others, and nobody else', async () => {
      await using rig = await Rig.open(open)
      const { jobs } = await opened(rig, 3)
      const [eve, bob] = [await rig.worker('eve'), await rig.worker('bob')]
      await eve.claimOne()
      assert.deepEqual(await bob.claim(), [])
      assert.deepEqual(
        (await eve.claim()).map(({ lease }) => lease.jobId),
        jobs.slice(1).map(({ id }) => id),
      )
    })

    test('what is added to a session later goes to its worker, too, and says so while it waits', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await opened(rig, 1)
      const [eve, bob] = [await rig.worker('eve'), await rig.worker('bob')]
      await eve.claimOne()
      const late = rig.job()
      await hand.advance(lease, children(3, [late], { session: 1 }))
      assert.deepEqual(await bob.claim(), [])
      const waiting = await rig.store.job(late.id)
      assert.equal(waiting?.state === 'waiting' && waiting.sessionWorker, eve.id)
      assert.equal((await eve.claimOne()).lease.jobId, late.id)
    })

    test('many processes that claim the jobs of one session at once leave them all to one', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const { jobs } = await opened(rig, 8)
      const hands = [
        await rig.worker('eve'),
        await other.worker('bob'),
        await rig.worker('kim'),
        await other.worker('joe'),
      ]
      const claimed = await Promise.all(hands.map((hand) => hand.claim('tiles', 2)))
      const holder = hands[claimed.findIndex(({ length }) => length > 0)]
      assert.ok(holder)
      assert.equal(claimed.filter(({ length }) => length > 0).length, 1)
      const rest = await holder.claim()
      assert.equal(rest.length + claimed.flat().length, jobs.length)
    })

    test('sessions that wait for a worker go to different ones', async () => {
      await using rig = await Rig.open(open)
      const one = await opened(rig, 2)
      const two = await opened(rig, 2)
      const [eve, bob] = [await rig.worker('eve'), await rig.worker('bob')]
      assert.equal((await eve.claimOne()).lease.jobId, one.jobs[0]?.id)
      assert.equal((await bob.claimOne()).lease.jobId, two.jobs[0]?.id)
      const idsOf = async (hand: Hand) => (await hand.claim()).map(({ lease }) => lease.jobId)
      assert.deepEqual(await idsOf(eve), [one.jobs[1]?.id])
      assert.deepEqual(await idsOf(bob), [two.jobs[1]?.id])
    })

    test('jobs of a session stand in line with the others by their priority', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await opened(rig, 1)
      const eve = await rig.worker('eve')
      await eve.claimOne()
      const [low, high] = [rig.job({ priority: -1 }), rig.job({ priority: 2 })]
      await hand.advance(lease, children(3, [low], { session: 1 }), children(4, [high], { session: 1 }))
      const between = await rig.enqueue({ priority: 1 })
      const order = [high.id, between, low.id]
      for (const id of order) assert.equal((await eve.claimOne()).lease.jobId, id)
    })

    test('a job of a session waits for its limit, its queue and its place in its group like any other', async () => {
      await using rig = await Rig.open(open)
      const { jobs } = await opened(rig, 3, { concurrency: 2, job: { limit: { key: 'k', max: 1, whenFull: 'wait' } } })
      const [eve, bob] = [await rig.worker('eve'), await rig.worker('bob')]
      const first = await eve.claim()
      assert.equal(first.length, 1)
      await rig.store.configureQueue('tiles', { paused: true })
      if (first[0] !== undefined) await eve.succeed(first[0].lease)
      assert.deepEqual(await eve.claim(), [])
      await rig.store.configureQueue('tiles', { paused: false })
      assert.deepEqual(await bob.claim(), [])
      const second = await eve.claimOne()
      assert.equal(second.lease.jobId, jobs[1]?.id)
      await eve.succeed(second.lease)
      assert.equal((await eve.claimOne()).lease.jobId, jobs[2]?.id)
    })

    test('a job of a session that is retried, or was handed back, stays with its worker', async () => {
      await using rig = await Rig.open(open)
      await opened(rig, 2)
      const [eve, bob] = [await rig.worker('eve'), await rig.worker('bob')]
      const [one, two] = await eve.claim()
      assert.ok(one && two)
      await eve.settle(one.lease, { outcome: 'retried', error: ERROR, dueAt: rig.clock.now() })
      await eve.settle(two.lease, { outcome: 'released', dueAt: rig.clock.now(), reason: 'no' })
      assert.deepEqual(await bob.claim(), [])
      assert.equal((await eve.claim()).length, 2)
    })

    test('a job that the worker of its session can never take fails, and says why', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await opened(rig, 1)
      const eve = await rig.workerWith({ name: 'eve', tasks: ['render'], offers: { cpu: 1 } })
      await rig.workerWith({ name: 'bob', labels: ['gpu'] })
      await eve.claim('tiles', 1)
      const late = [rig.job({ labels: ['gpu'] }), rig.job({ task: 'mask' }), rig.job({ needs: { cpu: 2 } }), rig.job()]
      await hand.advance(lease, children(3, late, { policy: 'collect', session: 1 }))
      const claimed = await eve.claim()
      assert.deepEqual(
        claimed.map(({ lease: { jobId } }) => jobId),
        [late[3]?.id],
      )
      assert.deepEqual(await ends(rig, late), ['session_unfit', 'session_unfit', 'session_unfit', undefined])
      assert.equal(
        (await rig.store.outcome(late[1]?.id as JobId))?.error?.message,
        'The worker of its session does not know mask, or lacks the labels or the resources that it asks for.',
      )
    })

    test('a lost worker fails all that lives of its sessions, once, and what is added later', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const eve = await frozen.worker('eve', 5_000)
      const { hand, lease, jobs } = await opened(rig, 3, { concurrency: 2 })
      const bob = await rig.worker('bob')
      const [claimed] = await eve.claim('tiles', 1)
      assert.ok(claimed)
      await rig.lapse(5_000)
      assert.deepEqual(await ends(rig, jobs), ['session_lost', 'session_lost', 'session_lost'])
      const lost = await rig.store.outcome(claimed.lease.jobId)
      assert.equal(lost?.error?.message, 'Worker eve of the session was lost: its lease lapsed.')
      assert.deepEqual(await rig.store.releases([{ row: lease.row, step: 2 }]), [
        { parentId: (await rig.store.job(jobs[0]?.id as JobId))?.parentId, step: 2 },
      ])
      const late = rig.job()
      await hand.advance(lease, children(3, [late], { session: 1 }))
      assert.deepEqual(await ends(rig, [late]), ['session_lost'])
      assert.deepEqual(await bob.claim(), [])
      assert.equal(await eve.succeed(claimed.lease), 'lease_lost')
    })

    test('a worker that says goodbye takes its sessions with it', async () => {
      await using rig = await Rig.open(open)
      const { jobs } = await opened(rig, 3)
      const eve = await rig.worker('eve')
      await eve.claim('tiles', 1)
      await rig.store.removeWorker(eve.id)
      assert.deepEqual(await ends(rig, jobs), ['session_lost', 'session_lost', 'session_lost'])
      const outcome = await rig.store.outcome(jobs[0]?.id as JobId)
      assert.equal(outcome?.error?.message, 'Worker eve of the session was lost: it stopped.')
    })

    test('the loss of the worker that runs the workflow leaves its session where it is', async () => {
      await using rig = await Rig.open(open)
      const { hand, jobs } = await opened(rig, 2)
      const [eve, bob] = [await rig.worker('eve'), await rig.worker('bob')]
      const first = await eve.claimOne()
      await rig.store.removeWorker(hand.id)
      await eve.succeed(first.lease)
      const { lease } = await bob.claimOne('flows')
      assert.deepEqual(
        (await rig.store.history(lease.row)).map(({ kind, session }) => [kind, session]),
        [
          ['session', undefined],
          ['map', 1],
        ],
      )
      assert.deepEqual(await bob.claim(), [])
      assert.equal((await eve.claimOne()).lease.jobId, jobs[1]?.id)
    })

    test('the end of a session cancels what lives of it, and what is added later', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, jobs } = await opened(rig, 2)
      const eve = await rig.worker('eve')
      const running = await eve.claimOne()
      assert.equal(await hand.advance(lease, session(1, { value: '"done"' })), 'recorded')
      assert.deepEqual(await ends(rig, jobs), [undefined, 'job_cancelled'])
      assert.equal(await eve.succeed(running.lease), 'cancelled')
      const late = rig.job()
      await hand.advance(lease, children(3, [late], { session: 1 }))
      assert.deepEqual(await ends(rig, [...jobs, late]), ['job_cancelled', 'job_cancelled', 'job_cancelled'])
      const outcome = await rig.store.outcome(late.id)
      assert.equal(outcome?.error?.message, 'Its session ended before it.')
      const [begun] = await rig.store.history(lease.row)
      assert.equal(begun?.value, '"done"')
    })

    test('a session whose beginning is said again, since it was not heard, goes on', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, jobs } = await opened(rig, 2)
      const eve = await rig.worker('eve')
      await eve.claimOne()
      assert.equal(await hand.advance(lease, session(1)), 'recorded')
      assert.equal((await eve.claimOne()).lease.jobId, jobs[1]?.id)
      await hand.advance(lease, session(1, { value: 'null' }))
      assert.equal(await hand.advance(lease, session(1, { value: 'null' })), 'recorded')
    })

    test('a session that is over does not end with its worker', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await opened(rig, 1)
      const eve = await rig.worker('eve')
      await eve.succeed((await eve.claimOne()).lease)
      await hand.advance(lease, session(1, { error: ERROR }))
      await rig.store.removeWorker(eve.id)
      const late = rig.job()
      await hand.advance(lease, children(3, [late], { session: 1 }))
      assert.deepEqual(await ends(rig, [late]), ['job_cancelled'])
      const [begun] = await rig.store.history(lease.row)
      assert.deepEqual(begun?.error, ERROR)
    })

    test('the end of a workflow ends its sessions', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, jobs } = await opened(rig, 2)
      const eve = await rig.worker('eve')
      const running = await eve.claimOne()
      await hand.succeed(lease)
      await rig.store.removeWorker(eve.id)
      assert.deepEqual(await ends(rig, jobs), ['job_cancelled', 'job_cancelled'])
      assert.equal(await eve.succeed(running.lease), 'lease_lost')
    })

    test('a workflow that was called in a session cleans up wherever it may, when the session is lost or over', async () => {
      await using rig = await Rig.open(open)
      for (const isLost of [true, false]) {
        const { hand, lease, jobs } = await opened(rig, 1, { job: { kind: 'workflow', cleanup: true } })
        const [eve, bob] = [await rig.worker('eve'), await rig.worker('bob')]
        const called = await eve.claimOne()
        const { value: _, ...begun } = step(1, { compensates: true })
        await eve.advance(called.lease, begun)
        if (isLost) await rig.store.removeWorker(eve.id)
        else {
          await hand.advance(lease, session(1, { value: 'null' }))
          await eve.settle(called.lease, { outcome: 'cancelled', error: ERROR })
        }
        const again = await bob.claimOne()
        assert.equal(again.lease.jobId, jobs[0]?.id)
        assert.equal(again.ending?.to, isLost ? 'failed' : 'cancelled')
        await bob.settle(again.lease, { outcome: isLost ? 'failed' : 'cancelled', error: ERROR })
      }
    })
  })
}
