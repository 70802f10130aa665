import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../options.ts'
import { parseSimulateOptions } from './options.ts'
import { simulateSeeds } from './simulate-seeds.ts'

const silent = { done: () => {}, failed: assert.fail }

for (const store of ['memory', 'sqlite', 'both'] as const) {
  test(`simulations of a few seeds on ${store} are counted, and keep every promise`, async () => {
    const options = parseSimulateOptions(['--store', store, '--from', '501', '--seeds', '5'])
    const report = await simulateSeeds(options, silent)
    assert.deepEqual([report.from, report.seeds, report.failures], [501, 5, []])
    assert.ok((report.counts.jobs ?? 0) > 50)
  })
}

test('no seed is begun when the time is up', async () => {
  const report = await simulateSeeds(parseSimulateOptions(['--seconds', '0']), silent)
  assert.equal(report.seeds, 0)
})

test('what makes no sense is refused with how it is used', () => {
  for (const wrong of [['--store', 'paper'], ['--seeds', '-1'], ['--from', 'x'], ['--plan', '{}'], ['--speed']])
    assert.throws(() => parseSimulateOptions(wrong), UsageError)
})
