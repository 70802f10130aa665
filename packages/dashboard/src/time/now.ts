import { useSyncExternalStore } from 'react'

// One ticker for the whole page: relative times all change together, once a second, and not while nobody looks.
const listeners = new Set<() => void>()
let nowMs = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function tick() {
  if (document.hidden) return
  nowMs = Date.now()
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(tick, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

function current(): number {
  if (timer === undefined) nowMs = Date.now()
  return nowMs
}

/** Milliseconds since 1970, renewed once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, current)
}
