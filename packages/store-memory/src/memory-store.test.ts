import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenStore, testReuse, testRouting, testStore } from '@headrace/engine/conformance'
import { ManualClock } from '@headrace/engine/testing'
import { openMemoryStore } from './memory-store.ts'
import { MemoryPlace } from './place.ts'

const places = new Map<string, MemoryPlace>()

const open: OpenStore = async (clock, { place: name = `place-${places.size}` } = {}) => {
  const place = places.get(name) ?? new MemoryPlace()
  places.set(name, place)
  return openMemoryStore({ clock, place })
}

testStore('the memory store', open)
testRouting('the memory store', open)
testReuse('the memory store', open)

test('the memory store has no transactions of a caller, and says so', async () => {
  await using store = openMemoryStore({ clock: new ManualClock() })
  await assert.rejects(store.enqueueIn({}, []), { code: 'transaction_refused' })
})
