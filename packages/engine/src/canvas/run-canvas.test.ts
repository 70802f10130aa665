import { MemoryPlace, openMemoryStore } from '@headrace/store-memory'
import { testCanvases } from '../testing/canvases.ts'

testCanvases('memory', () => {
  const place = new MemoryPlace()
  return async (clock) => openMemoryStore({ clock, place })
})
testCanvases('SQLite')
