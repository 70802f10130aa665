import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerKind } from '../peer.ts'
import type { Run } from '../run.ts'
import { measureAll } from './measure.ts'
import { measurementsOf } from './plan.ts'

/** Systems that are never opened: what they measure is made up. */
function fakeKind(name: string, more: Partial<PeerKind> = {}): PeerKind {
  const open = () => Promise.reject(new Error('a fake is not opened'))
  return { name, lacks: {}, share: {}, find: async () => ({ versions: { [name]: '1.0' }, open }), ...more }
}

const run = (p50Ms: number): Run => ({ figures: { p50Ms }, durability: 'fsync on' })
const measurements = measurementsOf({ only: ['latency', 'held'], isQuick: true })

test('systems are measured by turns, and a failed one keeps nothing else back', async () => {
  const asked: string[] = []
  const { measurements: all } = await measureAll({
    kinds: [fakeKind('headrace:sqlite'), fakeKind('bullmq:redis')],
    measurements: measurements.filter(({ key }) => key === 'latency'),
    runs: 2,
    tell: () => {},
    async measureCell(system) {
      asked.push(system)
      if (system === 'bullmq:redis') throw new Error('Redis is gone')
      return run(asked.length)
    },
  })
  assert.deepEqual(asked, ['headrace:sqlite', 'bullmq:redis', 'headrace:sqlite'])
  const cells = all.latency?.cells ?? {}
  assert.deepEqual(cells['bullmq:redis'], {
    state: 'failed',
    error: 'Redis is gone',
    versions: { 'bullmq:redis': '1.0' },
  })
  const ours = cells['headrace:sqlite']
  assert.deepEqual(ours?.state === 'measured' && ours.runs, [{ p50Ms: 1 }, { p50Ms: 3 }])
})

test('who cannot do it and who is not installed are told apart, and neither is measured', async () => {
  const { measurements: all } = await measureAll({
    kinds: [
      fakeKind('bullmq:redis', { lacks: { held: 'Redis has no snapshots' } }),
      fakeKind('celery:redis', { find: async () => ({ missing: 'no Python' }) }),
    ],
    measurements,
    runs: 1,
    tell: () => {},
    measureCell: async () => run(1),
  })
  const whys = (key: 'latency' | 'held') =>
    Object.values(all[key]?.cells ?? {}).map((cell) => (cell.state === 'absent' ? cell.why : cell.state))
  assert.deepEqual(whys('latency'), ['measured', 'no Python'])
  assert.deepEqual(whys('held'), ['Redis has no snapshots', 'no Python'])
})

test('each run is told of as it ends', async () => {
  const lines: string[] = []
  await measureAll({
    kinds: [fakeKind('headrace:sqlite')],
    measurements: measurements.filter(({ key }) => key === 'latency'),
    runs: 1,
    tell: (line) => lines.push(line),
    measureCell: async () => run(0.8),
  })
  assert.deepEqual(lines, ['latency 1/1 headrace:sqlite: p50Ms 0.8 (0 s)'])
})
