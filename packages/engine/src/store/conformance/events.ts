import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobEvent, LogLevel } from '../store.ts'
import { children, type Hand, type OpenStore, Rig, step } from './rig.ts'

export function testEvents(open: OpenStore): void {
  suite('events', () => {
    test('cursors grow with time, across jobs and processes, and a reader that goes on from the last one misses nothing', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const [ada, eve] = [await rig.worker('ada'), await other.worker('eve')]
      const read: JobEvent[] = []
      const readOn = async () => {
        for (;;) {
          const page = await rig.store.events({ after: read.at(-1)?.cursor ?? 0, limit: 3 })
          if (page.length === 0) return
          read.push(...page)
        }
      }
      for (let round = 0; round < 5; round++) {
        await Promise.all([rig.enqueue(), other.enqueue(), rig.enqueue()])
        await readOn()
        const claims = await Promise.all([ada.claim(), eve.claim()])
        await Promise.all([
          ...(claims[0] ?? []).map(({ lease }) => ada.succeed(lease)),
          ...(claims[1] ?? []).map(({ lease }) => eve.fail(lease)),
        ])
      }
      await readOn()
      assert.deepEqual(read, await rig.store.events({ after: 0, limit: 10_000 }))
      assert.equal(read.length, 5 * 3 * 3)
      const cursors = read.map(({ cursor }) => cursor)
      assert.deepEqual(
        cursors,
        [...new Set(cursors)].sort((a, b) => a - b),
      )
      assert.equal(await rig.store.lastCursor(), cursors.at(-1))
    })

    test('what is read of all jobs is what is read of each, and of each tree, whatever the page begins with', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job(), rig.job()], { policy: 'collect' }))
      const many = await rig.store.enqueue(Array.from({ length: 1_100 }, () => rig.job({ queue: 'bulk' })))
      const ada = await rig.worker('ada')
      const claimed = await ada.claim('bulk', 1_100)
      const error = { code: 'x', message: 'It broke.' }
      const dueAt = rig.clock.now()
      await ada.commit({
        settle: claimed.map(({ lease: held }, index) => {
          if (index % 7 === 3) return { lease: held, outcome: 'retried', error, dueAt }
          if (index % 7 === 5) return { lease: held, outcome: 'failed', error }
          return { lease: held, outcome: 'succeeded', result: '1' }
        }),
      })
      await rig.store.cancel(id, 'enough')
      const all: JobEvent[] = []
      for (let page = await rig.store.events({ after: 0, limit: 700 }); page.length > 0; ) {
        all.push(...page)
        page = await rig.store.events({ after: all.at(-1)?.cursor ?? 0, limit: 700 })
      }
      const of = (...ids: string[]) => all.filter(({ jobId }) => ids.includes(jobId))
      assert.deepEqual(await rig.store.events({ after: 0, limit: 5_000 }), all)
      assert.equal(all.filter(({ kind }) => kind === 'retried').length, 157)
      const after = all[1_500]?.cursor ?? 0
      const onlyEnds = { after, limit: 5_000, kinds: ['ended'] } as const
      const ends = all.filter(({ kind, cursor }) => kind === 'ended' && cursor > after)
      assert.deepEqual(await rig.store.events(onlyEnds), ends)
      for (const { id: one } of many.slice(0, 14)) {
        assert.deepEqual(await rig.store.events({ after: 0, limit: 10, jobId: one }), of(one))
      }
      const tree = (await rig.store.tree(id, 10)).map((job) => job.id)
      assert.equal(tree.length, 3)
      assert.deepEqual(await rig.store.events({ after: 0, limit: 100, jobId: id, tree: true }), of(...tree))
    })

    test('an empty store has no events, and cursor 0', async () => {
      await using rig = await Rig.open(open)
      assert.equal(await rig.store.lastCursor(), 0)
      assert.deepEqual(await rig.store.events({ after: 0, limit: 10 }), [])
    })

    test('an event says what happened, to which job, in which attempt and when', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      rig.clock.advance({ ms: 10 })
      const { lease } = await ada.claimOne()
      rig.clock.advance({ ms: 10 })
      await ada.settle(lease, { outcome: 'failed', error: { code: 'bad', message: 'It broke.', stack: 'long' } })
      const events = await rig.store.events({ after: 0, limit: 10 })
      const start = rig.clock.now() - 20
      assert.deepEqual(
        events.map(({ jobId, kind, attempt, at, data }) => [jobId, kind, attempt, at, data]),
        [
          [id, 'queued', 0, start, {}],
          [id, 'started', 1, start + 10, { worker: ada.id }],
          [id, 'ended', 1, start + 20, { state: 'failed', error: { code: 'bad', message: 'It broke.' } }],
        ],
      )
    })

    test('what an attempt tells is kept as events, and its last progress with the job', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      const at = rig.clock.now()
      await ada.commit({
        tell: [
          { lease, at, kind: 'progress', fraction: 0.25, message: 'reading' },
          { lease, at, kind: 'log', level: 'info', message: 'hello' },
          { lease, at, kind: 'metric', name: 'loss', step: 3, value: 0.5 },
          { lease, at, kind: 'artifact', name: 'map', artifact: 'sha256:00', sizeBytes: 9, mediaType: 'image/png' },
          { lease, at: at + 1, kind: 'progress', fraction: 0.5 },
        ],
      })
      const told = (await rig.store.events({ after: 0, limit: 10, jobId: id })).slice(2)
      assert.deepEqual(
        told.map(({ kind, data }) => [kind, data]),
        [
          ['progress', { fraction: 0.25, message: 'reading' }],
          ['log', { level: 'info', message: 'hello' }],
          ['metric', { name: 'loss', step: 3, value: 0.5 }],
          ['artifact', { name: 'map', artifact: 'sha256:00', sizeBytes: 9, mediaType: 'image/png' }],
          ['progress', { fraction: 0.5 }],
        ],
      )
      assert.deepEqual((await rig.store.job(id))?.progress, { fraction: 0.5, at: at + 1 })
    })

    test('what a late attempt tells is dropped', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const id = await rig.enqueue()
      const [ada, bob] = [await frozen.worker('ada'), await rig.worker('bob')]
      const { lease } = await ada.claimOne()
      await rig.lapse(30_000)
      await bob.claimOne()
      const at = rig.clock.now()
      await ada.commit({
        tell: [
          { lease, at, kind: 'progress', fraction: 1 },
          { lease, at, kind: 'log', level: 'info', message: 'late' },
        ],
      })
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'lapsed', 'started'])
      assert.equal((await rig.store.job(id))?.progress, undefined)
    })

    test('what an attempt tells together with its end is kept before that end', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      const tell = [{ lease, at: rig.clock.now(), kind: 'log', level: 'info', message: 'bye' } as const]
      await ada.commit({ tell, settle: [{ lease, outcome: 'succeeded', result: '1' }] })
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'log', 'ended succeeded'])
    })

    test('a tree’s events are those of the job and all its descendants, and of nobody else', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const inner = rig.job({ kind: 'workflow', queue: 'flows' })
      await hand.advance(lease, step(1), children(2, [inner]))
      const middle = await hand.claimOne('flows')
      const leaf = rig.job()
      await hand.advance(middle.lease, children(1, [leaf]))
      await rig.enqueue()
      const ids = async (tree: boolean) => [
        ...new Set((await rig.store.events({ after: 0, limit: 100, jobId: id, tree })).map(({ jobId }) => jobId)),
      ]
      assert.deepEqual(await ids(true), [id, inner.id, leaf.id])
      assert.deepEqual(await ids(false), [id])
    })

    test('events are filtered by kind, attempt, level and text', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const first = await ada.claimOne()
      await log(rig, ada, first.lease, 'info', 'Reading Tile 7')
      await log(rig, ada, first.lease, 'error', '100% of "tiles" lost')
      const dueAt = rig.clock.now()
      await ada.settle(first.lease, { outcome: 'retried', error: { code: 'x', message: 'tile' }, dueAt })
      const second = await ada.claimOne()
      await log(rig, ada, second.lease, 'warn', 'reading tile 8')
      const texts = async (query: object) =>
        (await rig.store.events({ after: 0, limit: 100, jobId: id, ...query })).map(
          ({ kind, data }) => data.message ?? kind,
        )
      assert.deepEqual(await texts({ kinds: ['started', 'retried'] }), ['started', 'retried', 'started'])
      assert.deepEqual(await texts({ kinds: [] }), [])
      assert.deepEqual(await texts({ kinds: ['log'], attempt: 2 }), ['reading tile 8'])
      assert.deepEqual(await texts({ levels: ['warn', 'error'] }), ['100% of "tiles" lost', 'reading tile 8'])
      assert.deepEqual(await texts({ kinds: ['log'], contains: 'READING tile' }), ['Reading Tile 7', 'reading tile 8'])
      assert.deepEqual(await texts({ kinds: ['log'], contains: '0%' }), ['100% of "tiles" lost'])
      assert.deepEqual(await texts({ kinds: ['log'], contains: '_' }), [])
    })

    test('a job’s events are read in pages by its own cursor', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      for (let index = 0; index < 7; index++) await log(rig, ada, lease, 'info', `line ${index}`)
      const lines: unknown[] = []
      let after = 0
      for (;;) {
        const page = await rig.store.events({ after, limit: 2, jobId: id, kinds: ['log'] })
        if (page.length === 0) break
        assert.ok(page.length <= 2)
        lines.push(...page.map(({ data }) => data.message))
        after = page.at(-1)?.cursor ?? after
      }
      assert.deepEqual(
        lines,
        Array.from({ length: 7 }, (_, index) => `line ${index}`),
      )
    })

    test('a job that nobody knows has no events', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue()
      assert.deepEqual(await rig.store.events({ after: 0, limit: 10, jobId: rig.job().id }), [])
      assert.deepEqual(await rig.store.events({ after: 0, limit: 10, jobId: rig.job().id, tree: true }), [])
    })
  })
}

function log(
  rig: Rig,
  hand: Hand,
  lease: Parameters<Hand['succeed']>[0],
  level: LogLevel,
  message: string,
): Promise<void> {
  return hand.tell({ lease, at: rig.clock.now(), kind: 'log', level, message })
}
