import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Machine } from '../machine/about.ts'
import { type Planned, plan } from './plan.ts'
import { plotOf } from './plot.ts'
import type { Result, ResultRow } from './results.ts'
import { caveatsOf, tableOf } from './table.ts'

const machine: Machine = { cpu: 'any', cores: 2, memoryGb: 8, system: 'Linux', node: 'v26.0.0', fdatasyncMs: 0.2 }

function row(name: string, figures: Record<string, number>, otherCpuShare = 0): ResultRow {
  return { name, versions: { [name]: '1.0' }, durability: 'all', figures, runs: [], otherCpuShare }
}

function result(key: string, figure: string, headrace: ResultRow, peers: readonly ResultRow[]): Result {
  const notMeasured = [{ name: 'celery:redis', why: 'no Python with celery and redis was found' }]
  const at = '2030-01-01T00:00:00.000Z'
  return { key, store: 'sqlite', figure, what: key, at, machine, headrace, peers, notMeasured, failed: [] }
}

const planned = (key: string) => plan.find((one) => one.key === key) as Planned

test('a row of the table has our figure, and each peer beside it', () => {
  const bulk = result('bulk', 'jobsPerSecond', row('headrace:sqlite', { jobsPerSecond: 30_000 }), [
    row('bullmq:redis', { jobsPerSecond: 7_881 }),
  ])
  const [, , line] = tableOf(plan, [bulk]).split('\n')
  assert.equal(line, `| ${planned('bulk').title} | **30,000 jobs/s** | bullmq:redis 7,881 jobs/s |`)
})

test('a recovery that was given up is shown as longer than it was waited for', () => {
  const recovery = result('recovery', 'seconds', row('headrace:sqlite', { seconds: 0.4, jobs: 20, resumed: 20 }), [
    row('pg-boss:postgres', { seconds: 90, jobs: 20, resumed: 0 }),
  ])
  assert.match(tableOf(plan, [recovery]), /\| \*\*0\.4 s\*\* \| pg-boss:postgres > 90 s \|/)
})

test('the page says who was not measured, and what else took the CPU', () => {
  const loud = result('bulk', 'jobsPerSecond', row('headrace:sqlite', { jobsPerSecond: 1 }, 0.4), [])
  const caveats = caveatsOf(plan, [loud])
  assert.match(caveats, /bulk on sqlite: something else took up to 40 % of the machine\./)
  assert.match(caveats, /bulk: celery:redis was not measured: no Python with celery and redis was found\./)
})

test('a plot has the best first, and ours in a colour of its own', () => {
  const latency = result('latency', 'p50Ms', row('headrace:sqlite', { p50Ms: 0.9 }), [
    row('pg-boss:postgres', { p50Ms: 5.6 }),
    row('bullmq:redis', { p50Ms: 1.6 }),
  ])
  const svg = plotOf(planned('latency'), [latency])
  const names = [...svg.matchAll(/text-anchor="end">([^<]+)</g)].map(([, name]) => name)
  assert.deepEqual(names, ['headrace:sqlite', 'bullmq:redis', 'pg-boss:postgres'])
  assert.equal(svg.match(/class="ours"/g)?.length, 1)
})
