import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measuredCell, measuredOf } from './fake-measured.ts'
import { goalsOf, tableOf } from './table.ts'

/** The cells of the line that begins so. */
function line(table: string, begin: string): string[] {
  const found = table.split('\n').find((one) => one.startsWith(`| ${begin}`)) ?? ''
  return found
    .split(' | ')
    .slice(1)
    .map((cell) => cell.replace(/ \|$/, ''))
}

test('a row has the median of each system, ours in bold', () => {
  const runs = [900, 31_873, 40_000].map((jobsPerSecond) => ({ jobsPerSecond, jobs: 20_000 }))
  const table = tableOf(
    measuredOf({
      bulk: {
        'headrace:sqlite': measuredCell(runs),
        'bullmq:redis': measuredCell(runs.slice(0, 2).concat(runs[0] ?? [])),
      },
    }),
  )
  assert.match(table, /^\| {2}\| Headrace, SQLite \| BullMQ, Redis \|/)
  assert.deepEqual(line(table, '20,000 no-op jobs'), ['**31,900**', '900'])
})

test('two figures of one measurement stand side by side', () => {
  const table = tableOf(measuredOf({ latency: { 'pg-boss:postgres': measuredCell([{ p50Ms: 5.58, p99Ms: 11.8 }]) } }))
  assert.match(line(table, 'submit to result')[0] ?? '', /^5\.6 \/ 12/)
})

test('a figure that a system does not have stands as a dash beside the one that it has', () => {
  const table = tableOf(measuredOf({ idle: { 'headrace:sqlite': measuredCell(Array(3).fill({ cpuPercent: 0.1 })) } }))
  assert.deepEqual(line(table, 'CPU of an idle worker'), ['**0.1 / —**'])
})

test('a recovery that was given up is shown as longer than it was waited for', () => {
  const table = tableOf(
    measuredOf({
      recovery: { 'pg-boss:postgres': measuredCell(Array(3).fill({ seconds: 90, jobs: 20, resumed: 0 })) },
    }),
  )
  assert.deepEqual(line(table, 'kill -9'), ['> 90'])
})

test('what failed, what cannot be done and what had less to do say so in notes below', () => {
  const table = tableOf(
    measuredOf({
      held: {
        'headrace:sqlite': { state: 'failed', error: 'disk full', versions: {} },
        'bullmq:redis': { state: 'absent', why: 'Redis has no snapshots', versions: {} },
        'celery:redis': measuredCell(Array(3).fill({ jobsPerSecond: 800, freeJobsPerSecond: 810, jobs: 5_000 })),
      },
    }),
  )
  assert.deepEqual(line(table, '20,000 jobs in bulk while'), [
    'failed<sup>1</sup>',
    '—<sup>2</sup>',
    '800 / 810<sup>3</sup>',
  ])
  assert.match(table, /<sup>1<\/sup> It failed: disk full\./)
  assert.match(table, /<sup>2<\/sup> Redis has no snapshots\./)
  assert.match(table, /<sup>3<\/sup> With 5,000 of 20,000 jobs: its rate is steady/)
})

test('fewer runs than were asked for are told of, with the error that ended them if there was one', () => {
  const one = [{ seconds: 44, children: 5_000 }]
  const table = tableOf(
    measuredOf({
      chord5000: {
        'celery:redis': measuredCell(one),
        'pg-boss:postgres': measuredCell(one, { error: 'lost a child' }),
      },
    }),
  )
  assert.match(table, /<sup>1<\/sup> 1 of 3 runs: it takes long\./)
  assert.match(table, /<sup>2<\/sup> 1 of 3 runs; the next one failed: lost a child\./)
})

test('versions and durability stand above the figures, with what the power may take', () => {
  const table = tableOf(
    measuredOf({
      latency: {
        'headrace:sqlite': measuredCell([{ p50Ms: 1 }], {
          durability: 'WAL, synchronous full',
          versions: { sqlite: '3.53' },
        }),
        'bullmq:redis': measuredCell([{ p50Ms: 1 }], { durability: 'appendfsync everysec' }),
      },
    }),
  )
  assert.equal(line(table, 'versions')[0], 'sqlite 3.53')
  assert.deepEqual(line(table, 'flushed to the disk'), ['WAL, synchronous full', 'appendfsync everysec<sup>1</sup>'])
  assert.match(table, /<sup>1<\/sup> Up to a second of accepted jobs may be lost with the power\./)
})

test('a figure that was disturbed is named', () => {
  const table = tableOf(
    measuredOf({ idle: { 'headrace:sqlite': measuredCell([{ rssMb: 70 }], { otherCpuShare: 0.4 }) } }),
  )
  assert.match(table, /more than 10 % of the machine in some run of idle \(up to 40 %\)\./)
})

test('goals that were missed are told apart from those that were reached', () => {
  const goals = goalsOf(
    measuredOf({
      latency: {
        'headrace:sqlite': measuredCell([{ p50Ms: 0.8, p99Ms: 2.8 }]),
        'headrace:postgres': measuredCell([{ p50Ms: 1.9, p99Ms: 6.5 }]),
      },
    }),
  )
  assert.deepEqual(line(goals, 'submit to result'), ['0.8 / 2.8', '1 / 4', '1.9 / **6.5, missed**', '2 / 6'])
})
