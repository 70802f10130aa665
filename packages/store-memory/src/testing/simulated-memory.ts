import type { OpenSimulated } from '@headrace/engine/testing'
import { openMemoryStore } from '../memory-store.ts'
import { MemoryPlace } from '../place.ts'

/** An empty place in memory for one simulation. */
export function simulatedMemory(): OpenSimulated {
  const place = new MemoryPlace()
  return async (process) => {
    const isDead = () => !process.isAlive && !process.isUnreachable
    return openMemoryStore({ clock: process.storeClock, place, isDead })
  }
}
