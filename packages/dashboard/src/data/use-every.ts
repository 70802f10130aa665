import { useEffect, useRef } from 'react'

export const LOOK_EVERY_MS = 2_000

/** For what has no events, such as counts and heartbeats: looks every so often, while somebody looks. */
export function useEvery(everyMs: number, look: () => void) {
  const latest = useRef(look)
  latest.current = look
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) latest.current()
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
}
