import { testStore } from '@headrace/engine/conformance'
import { openMemoryStore } from './memory-store.ts'
import { MemoryPlace } from './place.ts'

const places = new Map<string, MemoryPlace>()

testStore('the memory store', async (clock, { place: name = `place-${places.size}` } = {}) => {
  const place = places.get(name) ?? new MemoryPlace()
  places.set(name, place)
  return openMemoryStore({ clock, place })
})
