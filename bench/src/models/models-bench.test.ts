import assert from 'node:assert/strict'
import { test } from 'node:test'
import { benchModels, parseModelsOptions } from './models-bench.ts'

test('the bench of models measures both versions of each model, and counts every request of the load', async () => {
  const { models } = await benchModels({ seconds: 0.3, runs: 1 })
  assert.equal(models.length, 2)
  for (const { oneByOnePerSecond, batchedPerSecond, rowsPerRun, at80Percent } of models) {
    assert.ok(oneByOnePerSecond > 0 && batchedPerSecond > 0 && rowsPerRun >= 1)
    assert.equal(at80Percent.answered + at80Percent.turnedAway, at80Percent.sent)
  }
})

test('its options are its own, and a wrong one is told', () => {
  assert.deepEqual(parseModelsOptions(['models', '--json']), { seconds: 5, runs: 3, json: true })
  assert.equal(parseModelsOptions(['latency', '--json']), undefined)
  assert.throws(() => parseModelsOptions(['models', '--runs', '0']), /npm run bench -- models/)
  assert.throws(() => parseModelsOptions(['models', '--jobs', '3']), /--jobs/)
})
