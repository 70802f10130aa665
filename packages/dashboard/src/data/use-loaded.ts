import { useCallback, useEffect, useRef, useState } from 'react'
import { asError, LOADING, type Loadable } from './loadable.ts'

/**
 * Loads once per `key`. A reload keeps what is drawn until the new value is there, and a failed reload keeps it too:
 * what was true a moment ago serves the reader better than an error in its place.
 */
export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>) {
  const [loaded, setLoaded] = useState<{ key: string; loadable: Loadable<T> }>({ key, loadable: LOADING })
  const latest = useRef(load)
  latest.current = load
  const [round, setRound] = useState(0)

  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` is the request to load again.
  useEffect(() => {
    const aborter = new AbortController()
    latest.current(aborter.signal).then(
      (value) => {
        if (!aborter.signal.aborted) setLoaded({ key, loadable: { state: 'ready', value } })
      },
      (thrown) => {
        if (aborter.signal.aborted) return
        setLoaded((before) =>
          before.key === key && before.loadable.state === 'ready'
            ? before
            : { key, loadable: { state: 'failed', error: asError(thrown) } },
        )
      },
    )
    return () => aborter.abort()
  }, [key, round])

  const reload = useCallback(() => setRound((n) => n + 1), [])
  return { loadable: loaded.key === key ? loaded.loadable : LOADING, reload }
}
