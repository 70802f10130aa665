import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultSettings } from '../workloads/workload.ts'
import { runCell } from './cell-process.ts'

const few = { bench: 'latency', settings: { ...defaultSettings, jobs: 5 } } as const

test('one system is measured in a process of its own', async () => {
  const { figures, durability } = await runCell('headrace:sqlite', few)
  assert.equal(figures.samples, 5)
  assert.equal(durability, 'WAL, synchronous full')
})

test('a process that ends badly gives its reason', async () => {
  await assert.rejects(runCell('redrace:sqlite', few), { message: 'There is no system redrace:sqlite.' })
})

test('a process that hangs is ended, and says for how long it was waited for', async () => {
  await assert.rejects(runCell('headrace:sqlite', few, { withinMs: 1 }), { message: 'not done within 0.001 s' })
})
