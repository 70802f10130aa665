import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measuredCell, measuredOf } from './fake-measured.ts'
import { together } from './measured.ts'
import { pageOf } from './page.ts'

const PAGE = `# Performance

<!-- figures: written by npm run bench -- report -->
old
<!-- end of the figures -->

What follows.
`
const bulk = (jobsPerSecond: number) => measuredCell([{ jobsPerSecond, workerPeakRssMb: 100 }])

test('the figures of the page are replaced, and what a person wrote around them stays', () => {
  const { page, pictures } = pageOf(PAGE, measuredOf({ bulk: { 'headrace:sqlite': bulk(30_000) } }))
  assert.ok(page.startsWith('# Performance\n') && page.endsWith('\nWhat follows.\n'))
  assert.doesNotMatch(page, /old/)
  assert.match(page, /2030-01-01: 2 cores \(any\), 8 GB, Linux, Node 26\.0\.0; an fdatasync takes 0\.2 ms\./)
  assert.match(page, /!\[Jobs per second\]\(images\/performance-throughput\.svg\)/)
  assert.deepEqual(Object.keys(pictures), ['performance-throughput.svg', 'performance-memory.svg'])
})

test('writing it again with the same figures changes nothing', () => {
  const measured = measuredOf({ bulk: { 'headrace:sqlite': bulk(30_000) } })
  const once = pageOf(PAGE, measured).page
  assert.equal(pageOf(once, measured).page, once)
})

test('a page without a place for the figures is left alone', () => {
  assert.throws(() => pageOf('# Performance\n', measuredOf({})), /no place for the figures/)
})

test('of two pieces, the later has the word where both measured the same system', () => {
  const first = measuredOf({ bulk: { 'headrace:sqlite': bulk(1), 'bullmq:redis': bulk(2) } })
  const second = measuredOf({ bulk: { 'headrace:sqlite': bulk(3) }, each: { 'headrace:sqlite': bulk(4) } })
  const { measurements } = together([first, second])
  assert.deepEqual(measurements.bulk?.cells, { 'headrace:sqlite': bulk(3), 'bullmq:redis': bulk(2) })
  assert.deepEqual(measurements.each?.cells, { 'headrace:sqlite': bulk(4) })
})
