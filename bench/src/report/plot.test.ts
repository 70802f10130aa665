import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measuredCell, measuredOf } from './fake-measured.ts'
import { pictures } from './plan.ts'
import { plotOf } from './plot.ts'

const time = pictures.find(({ file }) => file === 'performance-time.svg') ?? assert.fail()

test('a panel has all systems in one order, ours in a colour of its own, and who was not measured', () => {
  const svg = plotOf(
    time,
    measuredOf({
      latency: {
        'headrace:sqlite': measuredCell([{ p50Ms: 1 }]),
        'pg-boss:postgres': measuredCell([{ p50Ms: 4 }]),
        'bullmq:redis': { state: 'failed', error: 'lost', versions: {} },
      },
    }),
  )
  const labels = [...svg.matchAll(/class="label"[^>]*>([^<]+)</g)].map(([, name]) => name)
  assert.deepEqual(labels, ['Headrace, SQLite', 'pg-boss, PostgreSQL', 'BullMQ, Redis'])
  const [ours, theirs] = [...svg.matchAll(/class="(ours|theirs)" x="\d+" width="(\d+)"/g)]
  assert.equal(ours?.[1], 'ours')
  assert.equal(theirs?.[1], 'theirs')
  assert.ok(Math.abs(Number(theirs?.[2]) - 4 * Number(ours?.[2])) <= 4, svg)
  assert.match(svg, />failed</)
})

test('bars that differ by far are drawn by their logarithm, and say so; one that was given up is longer than shown', () => {
  const recovery = (seconds: number, resumed: number) => measuredCell([{ seconds, jobs: 20, resumed }])
  const svg = plotOf(
    time,
    measuredOf({ recovery: { 'headrace:sqlite': recovery(0.4, 20), 'pg-boss:postgres': recovery(90, 0) } }),
  )
  assert.match(svg, /less is better, logarithmic/)
  assert.match(svg, />&gt; 90 s</)
})

test('the least and the greatest run are the ends of a line', () => {
  const spread = measuredOf({
    latency: { 'headrace:sqlite': measuredCell([{ p50Ms: 2 }, { p50Ms: 1 }, { p50Ms: 4 }]) },
  })
  const [, from = '', to = ''] = plotOf(time, spread).match(/class="spread" x1="(\d+)" y1="\d+" x2="(\d+)"/) ?? []
  const [, left = ''] = plotOf(time, spread).match(/class="ours" x="(\d+)"/) ?? []
  assert.ok(Math.abs(Number(to) - Number(left) - 4 * (Number(from) - Number(left))) <= 4)
})

test('a measurement that was left out has no panel, and nothing is drawn that is no number', () => {
  const svg = plotOf(time, measuredOf({ latency: { 'headrace:sqlite': measuredCell([{ p50Ms: 1 }]) } }))
  assert.equal(svg.match(/class="panel"/g)?.length, 1)
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
})
