import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ARTIFACT_NOTES } from '../../collection/removals.ts'
import { noteArtifactOwner } from '../../payload/artifact-owners.ts'
import { children, type OpenStore, Rig, step } from './rig.ts'

/** The id of an artifact that is like no other. */
function artifact(number: number): string {
  return `sha256:${number.toString(16).padStart(64, '0')}`
}

/** All pages. */
async function readNames(rig: Rig, limit = 100): Promise<{ names: readonly string[]; payloads: readonly string[] }> {
  const names = new Set<string>()
  const payloads: string[] = []
  let after: string | undefined
  for (let pages = 0; pages < 1_000; pages++) {
    const page = await rig.store.artifactNames({ limit, ...(after !== undefined && { after }) })
    for (const name of page.names) names.add(name)
    payloads.push(...page.payloads)
    if (page.next === undefined) return { names: [...names].sort(), payloads }
    after = page.next
  }
  throw new Error('the pages have no end')
}

/** Everything that can name an artifact, each with one of its own, from 1 on. */
const NAMINGS: readonly { readonly what: string; readonly write: (rig: Rig, name: string) => Promise<unknown> }[] = [
  { what: 'the input of a job', write: (rig, name) => rig.enqueue({ input: JSON.stringify({ scan: name }) }) },
  { what: 'a tag of a job', write: (rig, name) => rig.enqueue({ tags: [`of ${name}`] }) },
  {
    what: 'the result of a job',
    async write(rig, name) {
      await rig.enqueue({ queue: 'results' })
      const hand = await rig.worker()
      await hand.succeed((await hand.claimOne('results')).lease, JSON.stringify([name]))
    },
  },
  {
    what: 'the value of a step',
    async write(rig, name) {
      const { hand, lease } = await rig.workflow()
      await hand.advance(lease, step(1, { value: JSON.stringify(name) }))
    },
  },
  {
    what: 'the input of a child',
    async write(rig, name) {
      const { hand, lease } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job({ input: JSON.stringify(name), queue: 'children' })]))
    },
  },
  {
    what: 'an artifact that a task keeps',
    async write(rig, name) {
      await rig.enqueue({ queue: 'keeping' })
      const hand = await rig.worker()
      const { lease } = await hand.claimOne('keeping')
      await hand.tell({ lease, at: rig.clock.now(), kind: 'artifact', name: 'map', artifact: name, sizeBytes: 3 })
    },
  },
  {
    what: 'a line of a log',
    async write(rig, name) {
      await rig.enqueue({ queue: 'telling' })
      const hand = await rig.worker()
      const { lease } = await hand.claimOne('telling')
      await hand.tell({ lease, at: rig.clock.now(), kind: 'log', level: 'info', message: `made ${name}` })
    },
  },
  {
    what: 'a signal',
    async write(rig, name) {
      const { id } = await rig.workflow()
      assert.equal(await rig.store.signal(id, 'review', JSON.stringify({ page: name })), 'kept')
    },
  },
  {
    what: 'a schedule',
    write: (rig, name) =>
      rig.store.schedules.put({ name: 'nightly', body: JSON.stringify({ input: name }), nextAt: undefined }),
  },
  { what: 'a setting', write: (rig, name) => rig.store.settings.put('models', 'digits@1', { artifact: name }) },
]

/** What is named, so that the files of everything else can be removed. */
export function testArtifactNames(open: OpenStore): void {
  suite('names of artifacts', () => {
    for (const [index, { what, write }] of NAMINGS.entries()) {
      test(`${what} names an artifact, and the note of that goes with the same commit`, async () => {
        await using rig = await Rig.open(open)
        const [name, other] = [artifact(index + 1), artifact(99)]
        for (const one of [name, other]) await rig.store.settings.put(ARTIFACT_NOTES, one, 1)
        assert.deepEqual((await readNames(rig)).names, [])
        await write(rig, name)
        assert.deepEqual(await readNames(rig), { names: [name], payloads: [] })
        assert.equal(await rig.store.settings.get(ARTIFACT_NOTES, name), undefined)
        assert.equal(await rig.store.settings.get(ARTIFACT_NOTES, other), 1)
      })
    }

    test('pages of any size have all the names', async () => {
      await using rig = await Rig.open(open)
      for (const [index, { write }] of NAMINGS.entries()) {
        for (const copy of [1, 2]) await write(rig, artifact(index * 10 + copy))
      }
      // A schedule and a setting are overwritten by the second one.
      const all = await readNames(rig, 1_000)
      assert.equal(all.names.length, NAMINGS.length * 2 - 2)
      for (const limit of [1, 2, 7]) assert.deepEqual(await readNames(rig, limit), all)
    })

    test('what a job that is gone has named is named no more', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue({ input: JSON.stringify(artifact(1)) })
      const hand = await rig.worker()
      await hand.succeed((await hand.claimOne()).lease, JSON.stringify(artifact(2)))
      const newest = await rig.enqueue({ input: JSON.stringify(artifact(3)) })
      rig.clock.advance({ ms: 1_000 })
      const keep = { succeeded: 0, failed: 0, cancelled: 0 }
      await rig.store.prune({ limit: 10, retention: { keep, tasks: {}, queues: {}, artifacts: null } })
      assert.deepEqual((await readNames(rig)).names, [artifact(3)])
      assert.notEqual(await rig.store.job(newest), undefined)
    })

    test('whose an artifact is, and what an error says, are no names', async () => {
      await using rig = await Rig.open(open)
      await noteArtifactOwner(rig.store.settings, artifact(1), 'ada')
      await rig.enqueue()
      const hand = await rig.worker()
      const error = { code: 'task_threw', message: `There is no artifact ${artifact(2)}.` }
      await hand.settle((await hand.claimOne()).lease, { outcome: 'failed', error })
      assert.deepEqual((await readNames(rig)).names, [])
    })

    test('a store is one and the same for all who share it, and no other', async () => {
      await using rig = await Rig.open(open)
      await using neighbour = await rig.neighbour()
      await using other = await Rig.open(open)
      const identity = await rig.store.identity()
      assert.equal(await neighbour.store.identity(), identity)
      assert.equal(await rig.store.identity(), identity)
      assert.notEqual(await other.store.identity(), identity)
    })

    test('a payload in an artifact names it, with what it names itself where that is written beside it', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue({ input: `@${artifact(1)}:300000 ${artifact(2)} ${artifact(3)}` })
      await rig.enqueue({ input: `@${artifact(4)}:300000 ` })
      assert.deepEqual(await readNames(rig), { names: [1, 2, 3, 4].map(artifact), payloads: [] })
      // As an earlier release wrote it.
      await rig.enqueue({ input: `@${artifact(5)}:300000`, tags: [artifact(6)] })
      const { names, payloads } = await readNames(rig)
      assert.deepEqual([names.length, payloads], [6, [artifact(5)]])
    })
  })
}
