import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TileRef } from '@headrace/geo'
import { toBatches } from './batches.ts'

const tiles = (count: number): TileRef[] =>
  Array.from({ length: count }, (_, row) => ({ row, col: 0, rows: 1, cols: 1, cells: 1 }))
const rowsOf = (batches: readonly (readonly TileRef[])[]) => batches.map((batch) => batch.map(({ row }) => row))

test('each tile is a batch of its own where there are not more than may be', () => {
  assert.deepEqual(rowsOf(toBatches(tiles(3), 3)), [[0], [1], [2]])
  assert.deepEqual(toBatches([], 3), [])
})

test('more tiles are spread evenly, neighbours together', () => {
  assert.deepEqual(rowsOf(toBatches(tiles(5), 3)), [[0, 1], [2, 3], [4]])
  assert.deepEqual(rowsOf(toBatches(tiles(4), 3)), [[0, 1], [2], [3]])
})

test('each tile is in one batch, and no batch is empty', () => {
  for (const [count, most] of [
    [1000, 999],
    [1001, 1000],
    [2500, 1000],
    [7, 1],
  ] as const) {
    const batches = rowsOf(toBatches(tiles(count), most))
    assert.deepEqual(
      batches.flat(),
      tiles(count).map(({ row }) => row),
    )
    assert.ok(batches.length <= most && batches.every((batch) => batch.length > 0))
  }
})
