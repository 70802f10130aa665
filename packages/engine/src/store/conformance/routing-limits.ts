import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId, JobLimit } from '../../job/job.ts'
import type { JobPage, LimitCounts, NewJob } from '../store.ts'
import { children, ERROR, type Hand, type OpenStore, Rig } from './rig.ts'

const wait: JobLimit = { key: 'model:12', max: 1, whenFull: 'wait' }

async function counts(rig: Rig, key = wait.key): Promise<Omit<LimitCounts, 'key' | 'max'> | undefined> {
  const found = (await rig.store.limits()).find((limit) => limit.key === key)
  return found && { taken: found.taken, live: found.live, blocked: found.blocked }
}

/** Claims all that can be claimed. */
async function claimed(hand: Hand, queue = 'tiles'): Promise<JobId[]> {
  return (await hand.claim(queue, 100)).map(({ lease }) => lease.jobId)
}

function idsOf({ jobs }: JobPage): JobId[] {
  return jobs.map(({ id }) => id)
}

export function testRoutingLimits(open: OpenStore): void {
  suite('limits by key', () => {
    test('as many of a key can be claimed as it has permits, and the next one when one of them has ended', async () => {
      await using rig = await Rig.open(open)
      const limit = { ...wait, max: 2 }
      const ids = [await rig.enqueue({ limit }), await rig.enqueue({ limit }), await rig.enqueue({ limit })]
      const other = await rig.enqueue({ limit: { ...wait, key: 'model:13' } })
      const ada = await rig.worker()
      const first = await ada.claim()
      assert.deepEqual(
        first.map(({ lease }) => lease.jobId),
        [ids[0], ids[1], other],
      )
      assert.deepEqual(await counts(rig), { taken: 2, live: 3, blocked: 1 })
      assert.equal((await rig.store.queues())[0]?.blocked, 1)
      assert.equal(await rig.state(ids[2] as JobId), 'waiting')
      const [{ lease } = assert.fail()] = first
      const settle = [{ lease, outcome: 'succeeded', result: '1' } as const]
      const next = await ada.commit({ settle, claim: [{ queue: 'tiles', slots: 1 }] })
      assert.deepEqual(
        next.claimed.map((job) => job.lease.jobId),
        [ids[2]],
      )
      assert.deepEqual(await counts(rig), { taken: 2, live: 2, blocked: 0 })
    })

    test('the jobs of a key are listed while they live, each with what it waits for', async () => {
      await using rig = await Rig.open(open)
      const ids = [await rig.enqueue({ limit: wait }), await rig.enqueue({ limit: wait }), await rig.enqueue({})]
      const listed = async () => {
        const { jobs } = await rig.store.jobs({ limitKey: wait.key }, { limit: 10 })
        return jobs.map((job) => [job.id, job.state === 'waiting' ? job.wait : job.state])
      }
      assert.deepEqual(await listed(), [
        [ids[1], 'blocked'],
        [ids[0], 'ready'],
      ])
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      assert.deepEqual(await rig.store.jobs({ limitKey: wait.key, states: ['waiting'] }, { limit: 1 }).then(idsOf), [
        ids[1],
      ])
      await ada.succeed(lease)
      assert.deepEqual(await listed(), [[ids[1], 'ready']])
      assert.deepEqual(await rig.store.jobs({ limitKey: 'another' }, { limit: 10 }).then(idsOf), [])
    })

    test('a key is forgotten when its last job has ended', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue({ limit: wait })
      const ada = await rig.worker()
      await ada.succeed((await ada.claimOne()).lease)
      assert.deepEqual(await rig.store.limits(), [])
    })

    test('a permit goes to the most urgent job that waits for one, and tells its queue', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue({ limit: wait })
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      const idle = await rig.enqueue({ limit: wait, priority: -1 })
      const early = await rig.enqueue({ limit: wait })
      const late = await rig.enqueue({ limit: wait })
      const urgent = await rig.enqueue({ limit: wait, priority: 5, queue: 'mail' })
      using hints = rig.hints()
      await ada.succeed(lease)
      assert.ok(hints.some((hint) => hint.queues?.includes('mail')))
      const order: JobId[] = []
      for (const queue of ['mail', 'tiles', 'tiles', 'tiles']) {
        const next = await ada.claimOne(queue)
        order.push(next.lease.jobId)
        await ada.succeed(next.lease)
      }
      assert.deepEqual(order, [urgent, early, late, idle])
    })

    test('the newest job says how many permits there are: more are given out at once, and none is taken away', async () => {
      await using rig = await Rig.open(open)
      const limit = { ...wait, max: 2 }
      const ids = [await rig.enqueue({ limit: wait }), await rig.enqueue({ limit: wait })]
      const ada = await rig.worker()
      assert.deepEqual(await claimed(ada), [ids[0]])
      const third = await rig.enqueue({ limit: { ...wait, max: 3 } })
      assert.deepEqual(await claimed(ada), [ids[1], third])
      const fourth = await rig.enqueue({ limit })
      assert.deepEqual(await counts(rig), { taken: 3, live: 4, blocked: 1 })
      assert.deepEqual(await claimed(ada), [])
      assert.equal(await rig.state(fourth), 'waiting')
    })

    test('reject: a job of a full limit is not stored, and the one in its way is named', async () => {
      await using rig = await Rig.open(open)
      const limit = { ...wait, whenFull: 'reject' } as const
      const idempotency = { scope: '', key: 'once', fingerprint: 'f' }
      const first = await rig.enqueue({ limit })
      const [refused, other] = [rig.job({ limit, idempotency }), rig.job({ limit: { ...limit, key: 'other' } })]
      assert.deepEqual(await rig.store.enqueue([refused, other]), [
        { outcome: 'rejected', id: first, why: 'limit_full' },
        { outcome: 'created', id: other.id },
      ])
      assert.equal(await rig.store.job(refused.id), undefined)
      await rig.store.cancel(first, 'enough')
      // Nor did its idempotency key remember it.
      assert.deepEqual(await rig.store.enqueue([refused]), [{ outcome: 'created', id: refused.id }])
    })

    test('reject: a child of a full limit is stored as failed, so that its parent sees why', async () => {
      await using rig = await Rig.open(open)
      const first = await rig.enqueue({ limit: wait, queue: 'mail' })
      const { hand, lease } = await rig.workflow()
      const child = rig.job({ limit: { ...wait, whenFull: 'reject' } })
      const { released } = await hand.commit({ advance: [{ lease, steps: [children(1, [child])] }] })
      assert.deepEqual(
        released.map(({ step }) => step),
        [1],
      )
      const [outcome] = await rig.store.outcomes(lease.row, 1)
      assert.ok(outcome?.state === 'failed')
      assert.equal(outcome.error.code, 'limit_full')
      assert.match(outcome.error.message, new RegExp(`model:12 takes 1, and is full: job ${first}`))
      assert.deepEqual(await counts(rig), { taken: 1, live: 1, blocked: 0 })
    })

    test('replace: what waits is cancelled, what runs is asked to stop, and the new one follows it', async () => {
      await using rig = await Rig.open(open)
      const limit = { ...wait, whenFull: 'replace' } as const
      const running = await rig.enqueue({ limit })
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      const waiting = await rig.enqueue({ limit })
      const newest = await rig.enqueue({ limit })
      const job = await rig.store.job(waiting)
      assert.ok(job?.state === 'cancelled')
      assert.match(job.error.message, new RegExp(`Job ${newest} replaced it`))
      assert.equal((await rig.store.cancelRequests(ada.id)).length, 1)
      assert.deepEqual(await claimed(ada), [])
      await ada.settle(lease, { outcome: 'cancelled', error: ERROR })
      assert.equal(await rig.state(running), 'cancelled')
      assert.deepEqual(await claimed(ada), [newest])
      assert.deepEqual(await counts(rig), { taken: 1, live: 1, blocked: 0 })
    })

    test('replace: of a limit of several, only the oldest make room', async () => {
      await using rig = await Rig.open(open)
      const limit = { ...wait, max: 2, whenFull: 'replace' } as const
      const [first, second, third] = [
        await rig.enqueue({ limit }),
        await rig.enqueue({ limit }),
        await rig.enqueue({ limit }),
      ]
      assert.equal(await rig.state(first), 'cancelled')
      assert.deepEqual(await claimed(await rig.worker()), [second, third])
    })

    test('a job that is due later takes a permit when it is due, and not before', async () => {
      await using rig = await Rig.open(open)
      const later = await rig.enqueue({ limit: wait, dueAt: rig.clock.now() + 100 })
      const now = await rig.enqueue({ limit: wait })
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      assert.equal(lease.jobId, now)
      rig.clock.advance({ ms: 100 })
      await rig.store.sweep()
      assert.deepEqual(await claimed(ada), [])
      assert.deepEqual(await counts(rig), { taken: 1, live: 2, blocked: 1 })
      await ada.succeed(lease)
      assert.deepEqual(await claimed(ada), [later])
    })

    test('a job that is tried again later gives its permit back, and asks for one when it is due', async () => {
      await using rig = await Rig.open(open)
      const first = await rig.enqueue({ limit: wait })
      const second = await rig.enqueue({ limit: wait })
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      await ada.settle(lease, { outcome: 'retried', error: ERROR, dueAt: rig.clock.now() + 100 })
      const { lease: other } = await ada.claimOne()
      assert.equal(other.jobId, second)
      rig.clock.advance({ ms: 100 })
      assert.deepEqual(await claimed(ada), [])
      await ada.succeed(other)
      assert.deepEqual(await claimed(ada), [first])
    })

    test('a job that comes back at once keeps its permit: handed back, or with its worker lost', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const first = await rig.enqueue({ limit: wait })
      const eve = await frozen.worker('eve', 1_000)
      const { lease } = await eve.claimOne()
      await rig.enqueue({ limit: wait, priority: 9 })
      await eve.settle(lease, { outcome: 'released', dueAt: rig.clock.now(), reason: 'tired' })
      assert.equal((await eve.claimOne()).lease.jobId, first)
      await rig.lapse(1_000)
      assert.deepEqual(await claimed(await rig.worker()), [first])
      assert.deepEqual(await counts(rig), { taken: 1, live: 2, blocked: 1 })
    })

    test('a blocked job that is cancelled, or passes its deadline, leaves its place', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue({ limit: wait })
      const [second, third, fourth] = [
        await rig.enqueue({ limit: wait }),
        await rig.enqueue({ limit: wait, deadlineAt: rig.clock.now() + 10 }),
        await rig.enqueue({ limit: wait }),
      ]
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      assert.equal(await rig.store.cancel(second, 'enough'), 'cancelled')
      rig.clock.advance({ ms: 11 })
      await rig.store.sweep()
      assert.equal(await rig.state(third), 'failed')
      assert.deepEqual(await counts(rig), { taken: 1, live: 2, blocked: 1 })
      await ada.succeed(lease)
      assert.deepEqual(await claimed(ada), [fourth])
    })

    test('the cancelling of a job that could be claimed gives its permit to the next', async () => {
      await using rig = await Rig.open(open)
      const first = await rig.enqueue({ limit: wait })
      const second = await rig.enqueue({ limit: wait })
      await rig.store.cancel(first, 'enough')
      assert.deepEqual(await claimed(await rig.worker()), [second])
    })

    test('a child that its group holds back asks for a permit when the group lets it go', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      const jobs = [rig.job(), rig.job({ limit: wait }), rig.job({ limit: wait })]
      await hand.advance(lease, children(1, jobs, { policy: 'collect', concurrency: 1 }))
      const [holder] = [await rig.enqueue({ limit: wait, queue: 'mail' })]
      const mail = await hand.claimOne('mail')
      assert.equal(mail.lease.jobId, holder)
      await hand.succeed((await hand.claimOne()).lease)
      assert.deepEqual(await claimed(hand), [])
      assert.deepEqual(await counts(rig), { taken: 1, live: 3, blocked: 1 })
      await hand.succeed(mail.lease)
      assert.deepEqual(await claimed(hand), [jobs[1]?.id])
    })

    test('a workflow holds its permit until it ends, and what it waits for works under it', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow({ limit: wait })
      const [child, sub] = [rig.job({ limit: wait }), rig.job({ task: 'sub', kind: 'workflow' } as Partial<NewJob>)]
      const started = rig.job({ limit: wait })
      const start = children(3, [started], { kind: 'start', attached: false })
      await hand.advance(lease, children(1, [child]), children(2, [sub]), start)
      const below = await hand.claim()
      assert.deepEqual(
        below.map((job) => job.lease.jobId),
        [child.id, sub.id],
      )
      const grandchild = rig.job({ limit: wait })
      await hand.advance(below[1]?.lease ?? assert.fail(), children(1, [grandchild]))
      // What it only starts outlives it, and so waits for a permit of its own.
      assert.deepEqual(await claimed(hand), [grandchild.id])
      assert.deepEqual(await counts(rig), { taken: 1, live: 2, blocked: 1 })
      await hand.succeed(lease)
      assert.deepEqual(await claimed(hand), [started.id])
    })

    test('limits never exceed their permits, whatever a random hour brings', async () => {
      await using rig = await Rig.open(open)
      const hands = [await rig.worker('ada', 600_000), await rig.worker('bob', 600_000)]
      const held: { hand: Hand; lease: Parameters<Hand['succeed']>[0] }[] = []
      const all: JobId[] = []
      let seed = 7
      const draw = (below: number) => {
        seed = (seed * 48_271) % 2_147_483_647
        return seed % below
      }
      for (let turn = 0; turn < 300; turn++) {
        const hand = hands[draw(2)] as Hand
        const [one] = held.splice(draw(4), 1)
        switch (draw(4)) {
          case 0:
            all.push(
              await rig.enqueue({
                limit: { ...wait, max: 2, key: `key:${draw(2)}` },
                priority: draw(3),
                ...(draw(3) === 0 && { dueAt: rig.clock.now() + 20 }),
              }),
            )
            break
          case 1:
            for (const { lease } of await hand.claim('tiles', 1 + draw(3))) held.push({ hand, lease })
            break
          case 2:
            if (one !== undefined) await one.hand.succeed(one.lease)
            continue
          case 3:
            if (one !== undefined && draw(2) === 0) {
              await one.hand.settle(one.lease, { outcome: 'retried', error: ERROR, dueAt: rig.clock.now() + draw(30) })
              continue
            }
            rig.clock.advance({ ms: 10 })
            await rig.store.sweep()
        }
        if (one !== undefined) held.push(one)
        const jobs = await Promise.all(held.map(({ lease }) => rig.store.job(lease.jobId)))
        for (const key of ['key:0', 'key:1'])
          assert.ok(jobs.filter((job) => job?.limit?.key === key && job.state === 'running').length <= 2)
      }
      // And nobody is left behind.
      rig.clock.advance({ ms: 100 })
      for (;;) {
        for (const { hand, lease } of held.splice(0)) await hand.succeed(lease)
        const [hand] = hands as [Hand]
        for (const { lease } of await hand.claim()) held.push({ hand, lease })
        if (held.length === 0) break
      }
      assert.ok(all.length > 40)
      for (const id of all) assert.equal(await rig.state(id), 'succeeded')
      assert.deepEqual(await rig.store.limits(), [])
    })
  })
}
