import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import type { JobFilter } from '../store.ts'
import { children, type OpenStore, Rig } from './rig.ts'

async function found(rig: Rig, filter: JobFilter): Promise<JobId[]> {
  return (await rig.store.jobs(filter, { limit: 100 })).jobs.map(({ id }) => id)
}

/** All jobs of a filter, read in pages of three. */
async function paged(rig: Rig, filter: JobFilter): Promise<JobId[]> {
  const ids: JobId[] = []
  let before: string | undefined
  do {
    const page = await rig.store.jobs(filter, { limit: 3, ...(before !== undefined && { before }) })
    ids.push(...page.jobs.map(({ id }) => id))
    before = page.next
  } while (before !== undefined)
  return ids
}

/** The jobs on each page, when one looks at no more than so many. */
async function looked(rig: Rig, filter: JobFilter, depth: number): Promise<JobId[][]> {
  const pages: JobId[][] = []
  let before: string | undefined
  do {
    const page = await rig.store.jobs(filter, { limit: 3, depth, ...(before !== undefined && { before }) })
    pages.push(page.jobs.map(({ id }) => id))
    before = page.next
  } while (before !== undefined)
  return pages
}

export function testQueries(open: OpenStore): void {
  suite('reading', () => {
    test('jobs are listed newest first, page by page, each once, even while new ones come in', async () => {
      await using rig = await Rig.open(open)
      const ids: JobId[] = []
      for (let index = 0; index < 7; index++) ids.unshift(await rig.enqueue())
      const listed: JobId[] = []
      let before: string | undefined
      do {
        const page = await rig.store.jobs({}, { limit: 3, ...(before !== undefined && { before }) })
        assert.ok(page.jobs.length <= 3)
        listed.push(...page.jobs.map(({ id }) => id))
        before = page.next
        await rig.enqueue({ task: 'newcomer' })
      } while (before !== undefined)
      assert.deepEqual(listed, ids)
    })

    test('a page that holds all has no next one', async () => {
      await using rig = await Rig.open(open)
      for (let index = 0; index < 3; index++) await rig.enqueue()
      assert.equal((await rig.store.jobs({}, { limit: 3 })).next, undefined)
      assert.notEqual((await rig.store.jobs({}, { limit: 2 })).next, undefined)
    })

    test('a page mark that makes no sense gives no jobs, and no error', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue()
      assert.deepEqual(await rig.store.jobs({}, { limit: 3, before: 'nonsense' }), { jobs: [] })
    })

    test('jobs are found by state', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const [succeeded, failed, cancelled, running] = [
        await rig.enqueue(),
        await rig.enqueue(),
        await rig.enqueue(),
        await rig.enqueue(),
      ]
      const [one, two, three] = await ada.claim('tiles', 4)
      assert.ok(one && two && three)
      await ada.succeed(one.lease)
      await ada.fail(two.lease)
      await rig.store.cancel(cancelled, 'x')
      await ada.succeed(three.lease)
      const [waiting, scheduled] = [await rig.enqueue(), await rig.enqueue({ dueAt: rig.clock.now() + 9_000 })]
      assert.deepEqual(await found(rig, { states: ['succeeded'] }), [succeeded])
      assert.deepEqual(await found(rig, { states: ['failed', 'cancelled'] }), [cancelled, failed])
      assert.deepEqual(await found(rig, { states: ['running'] }), [running])
      assert.deepEqual(await found(rig, { states: ['waiting'] }), [scheduled, waiting])
      assert.deepEqual(await found(rig, { states: ['running', 'failed'] }), [running, failed])
      assert.deepEqual(await found(rig, { states: [] }), [])
    })

    test('jobs are found by task, queue, owner, tag and time', async () => {
      await using rig = await Rig.open(open)
      const start = rig.clock.now()
      const one = await rig.enqueue({ task: 'render', queue: 'tiles', owner: 'ada', tags: ['blue', 'x'] })
      rig.clock.advance({ ms: 100 })
      const two = await rig.enqueue({ task: 'train', queue: 'gpu', owner: 'bob', tags: ['blue'] })
      rig.clock.advance({ ms: 100 })
      const three = await rig.enqueue({ task: 'train', queue: 'gpu', owner: 'ada' })
      assert.deepEqual(await found(rig, { tasks: ['train'] }), [three, two])
      assert.deepEqual(await found(rig, { tasks: ['train', 'render'], queues: ['tiles'] }), [one])
      assert.deepEqual(await found(rig, { owner: 'ada' }), [three, one])
      assert.deepEqual(await found(rig, { tag: 'blue' }), [two, one])
      assert.deepEqual(await found(rig, { tag: 'blue', owner: 'bob' }), [two])
      assert.deepEqual(await found(rig, { createdFrom: start + 100 }), [three, two])
      assert.deepEqual(await found(rig, { createdTo: start + 100 }), [two, one])
      assert.deepEqual(await found(rig, { createdFrom: start + 1, createdTo: start + 199 }), [two])
      assert.deepEqual(await found(rig, { owner: 'eve' }), [])
    })

    test('every filter of states goes with every other filter', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const id = await rig.enqueue({ task: 'train', owner: 'ada', tags: ['blue'] })
      await rig.enqueue({ task: 'train', owner: 'bob', tags: ['blue'] })
      await ada.fail((await ada.claimOne()).lease)
      const filter = {
        states: ['failed', 'running'],
        tasks: ['train'],
        owner: 'ada',
        tag: 'blue',
        rootsOnly: true,
      } as const
      assert.deepEqual(await found(rig, filter), [id])
      assert.deepEqual(await found(rig, { ...filter, states: ['waiting'] }), [])
    })

    test('a search finds the beginning of an id, and text in task, tags and input', async () => {
      await using rig = await Rig.open(open)
      const one = await rig.enqueue({ task: 'geo.Land-Cover', input: '{"place":"Schuylkill"}' })
      rig.clock.advance({ ms: 100_000 })
      const two = await rig.enqueue({ task: 'train', tags: ['Delaware-7'], input: '{"share":"100%"}' })
      assert.deepEqual(await found(rig, { search: one.slice(0, 12) }), [one])
      assert.deepEqual(await found(rig, { search: two.toUpperCase() }), [two])
      assert.deepEqual(await found(rig, { search: 'land' }), [one])
      assert.deepEqual(await found(rig, { search: 'schuylkill' }), [one])
      assert.deepEqual(await found(rig, { search: 'delaware' }), [two])
      assert.deepEqual(await found(rig, { search: '0%' }), [two])
      assert.deepEqual(await found(rig, { search: '' }), [two, one])
      assert.deepEqual(await found(rig, { search: 'nowhere' }), [])
    })

    test('pages of several states, and of a search, hold each job once and leave none out', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const ids: JobId[] = []
      for (let index = 0; index < 12; index++) {
        ids.unshift(await rig.enqueue({ task: index % 3 === 0 ? 'train' : 'render', input: '"train render"' }))
        if (index % 4 === 1) await ada.fail((await ada.claimOne()).lease)
        if (index % 4 === 2) await ada.succeed((await ada.claimOne()).lease)
      }
      await ada.claim('tiles', 2)
      assert.deepEqual(await paged(rig, { states: ['waiting', 'running', 'failed', 'succeeded'] }), ids)
      assert.deepEqual(await paged(rig, { search: 'r' }), ids)
      assert.deepEqual(await paged(rig, { tasks: ['render', 'train', 'render'] }), ids)
      const trained = (await rig.store.jobs({ tasks: ['train'] }, { limit: 100 })).jobs.map(({ id }) => id)
      assert.equal(trained.length, 4)
      assert.deepEqual(await paged(rig, { search: 'TRAIN', tasks: ['train'] }), trained)
    })

    test('a page that may look at so many jobs is short where they do not fit, and the next one goes on behind them', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const rare: JobId[] = []
      for (let index = 0; index < 12; index++) {
        const isRare = index % 6 === 0
        const id = await rig.enqueue(isRare ? { queue: 'rare', tags: ['red'] } : { tags: ['blue'] })
        if (isRare) rare.unshift(id)
      }
      const [newer, older] = rare
      const inTurn = [[], [newer], [older]]
      assert.deepEqual(await looked(rig, { queues: ['rare'] }, 5), inTurn)
      assert.deepEqual(await looked(rig, { queues: ['rare'], states: ['waiting'] }, 5), inTurn)
      assert.deepEqual((await looked(rig, { tag: 'red', rootsOnly: true }, 5)).flat(), rare)
      for (const claimed of [...(await ada.claim('tiles')), ...(await ada.claim('rare'))]) await ada.fail(claimed.lease)
      assert.deepEqual(await looked(rig, { queues: ['rare'], states: ['failed'] }, 5), inTurn)
      for (const id of rare) await rig.enqueue({ retryOf: id })
      assert.deepEqual(await looked(rig, { retried: true }, 5), inTurn)
      assert.deepEqual((await looked(rig, { states: ['waiting', 'failed'], retried: true }, 5)).flat(), rare)
    })

    test('jobs are found by the code of their error, and by whether another job repeats them', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const [one, two, three] = [await rig.enqueue(), await rig.enqueue(), await rig.enqueue({ task: 'train' })]
      for (const claimed of await ada.claim()) {
        const code = claimed.lease.jobId === two ? 'tile_missing' : 'task_threw'
        await ada.settle(claimed.lease, { outcome: 'failed', error: { code, message: 'It broke.' } })
      }
      const good = await rig.enqueue()
      await ada.succeed((await ada.claimOne()).lease)
      const again = await rig.enqueue({ retryOf: one })
      assert.deepEqual(await found(rig, { errorCode: 'tile_missing' }), [two])
      assert.deepEqual(await found(rig, { errorCode: 'task_threw' }), [three, one])
      assert.deepEqual(await found(rig, { errorCode: 'task_threw', tasks: ['train'] }), [three])
      assert.deepEqual(await found(rig, { errorCode: 'task_threw', states: ['succeeded'] }), [])
      assert.deepEqual(await found(rig, { errorCode: 'nothing' }), [])
      assert.deepEqual(await found(rig, { retried: true }), [one])
      assert.deepEqual(await found(rig, { retried: false }), [again, good, three, two])
      assert.deepEqual(await found(rig, { retried: false, states: ['failed'], rootsOnly: true }), [three, two])
    })

    test('roots and children are told apart, and children are found by their parent', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const jobs = [rig.job(), rig.job()]
      await hand.advance(lease, children(1, jobs, { policy: 'fail' }))
      assert.deepEqual(await found(rig, { rootsOnly: true }), [id])
      assert.deepEqual(await found(rig, { parentId: id }), jobs.map((job) => job.id).reverse())
      assert.deepEqual(await found(rig, { parentId: rig.job().id }), [])
    })

    test('a tree is given from its top, oldest first, up to a limit', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const inner = rig.job({ kind: 'workflow', queue: 'flows' })
      await hand.advance(lease, children(1, [inner]))
      const leaf = rig.job()
      await hand.advance((await hand.claimOne('flows')).lease, children(1, [leaf]))
      await rig.enqueue()
      const tree = async (top: JobId, limit: number) => (await rig.store.tree(top, limit)).map((job) => job.id)
      assert.deepEqual(await tree(id, 10), [id, inner.id, leaf.id])
      assert.deepEqual(await tree(inner.id, 10), [inner.id, leaf.id])
      assert.deepEqual(await tree(id, 2), [id, inner.id])
      assert.deepEqual(await tree(rig.job().id, 10), [])
    })

    test('the states of many jobs are read at once, and unknown ones are left out', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const [done, running] = [await rig.enqueue(), await rig.enqueue()]
      const [first] = await ada.claim('tiles', 2)
      assert.ok(first)
      await ada.succeed(first.lease)
      const waiting = await rig.enqueue()
      const states = await rig.store.states([waiting, rig.job().id, done, running])
      const expected = [
        [waiting, 'waiting'],
        [done, 'succeeded'],
        [running, 'running'],
      ] as const
      assert.deepEqual(states, new Map(expected))
      assert.deepEqual(await rig.store.states([]), new Map())
    })

    test('a job that nobody knows has nothing', async () => {
      await using rig = await Rig.open(open)
      const { id } = rig.job()
      assert.equal(await rig.store.job(id), undefined)
      assert.equal(await rig.store.input(id), undefined)
      assert.equal(await rig.store.outcome(id), undefined)
      assert.deepEqual(await rig.store.attempts(id), [])
      assert.deepEqual(await rig.store.steps(id), [])
    })

    test('queues are counted: waiting, scheduled and running', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      for (let index = 0; index < 3; index++) await rig.enqueue()
      await rig.enqueue({ dueAt: rig.clock.now() + 9_000 })
      await rig.enqueue({ queue: 'mail' })
      await ada.claimOne()
      assert.partialDeepStrictEqual(plain(await rig.store.queues()), [
        { queue: 'mail', waiting: 1, scheduled: 0, running: 0, blocked: 0 },
        { queue: 'tiles', waiting: 2, scheduled: 1, running: 1, blocked: 0 },
      ])
    })
  })
}

/** Rows may come without a prototype. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
