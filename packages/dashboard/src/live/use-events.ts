import type { Connection as ClientConnection } from '@headrace/client'
import type { WireEvent } from '@headrace/wire'
import { useEffect, useRef, useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { coalesce } from './coalesce.ts'

/** `over`: nothing more will come. `lost`: it comes back by itself, and misses nothing. */
export type Connection = 'connecting' | 'live' | 'lost' | 'over'

type Open = (options: {
  readonly after: number | undefined
  readonly signal: AbortSignal
  readonly onConnection: (connection: ClientConnection) => void
}) => AsyncIterable<WireEvent>

/** A browser has six connections to a host, for all its tabs; one that nobody looks at gives its own back. */
const HIDDEN_MS_MAX = 60_000

/**
 * Follows a stream of events while the component is there, and hands them on in batches, at most one per `everyMs`.
 * @param key another key is another stream
 */
function useEvents(
  key: string,
  open: Open,
  onEvents: (events: readonly WireEvent[]) => void,
  everyMs: number,
): Connection {
  const [connection, setConnection] = useState<Connection>('connecting')
  const handler = useRef(onEvents)
  handler.current = onEvents
  const opener = useRef(open)
  opener.current = open

  // biome-ignore lint/correctness/useExhaustiveDependencies: another key is another stream.
  useEffect(() => {
    const pipe = coalesce<WireEvent>(everyMs, (events) => handler.current(events))
    let after: number | undefined
    let aborter: AbortController | undefined

    async function follow() {
      aborter = new AbortController()
      const { signal } = aborter
      const onConnection = (told: ClientConnection) => setConnection(told.state)
      try {
        for await (const event of opener.current({ after, signal, onConnection })) {
          after = event.cursor
          pipe.push(event)
        }
        setConnection('over')
      } catch {
        // Aborted by us, or refused for good: then the page's own requests say why.
        if (!signal.aborted) setConnection('over')
      }
    }

    let hiddenTimer: ReturnType<typeof setTimeout> | undefined
    const onVisibility = () => {
      clearTimeout(hiddenTimer)
      if (document.hidden) hiddenTimer = setTimeout(() => aborter?.abort(), HIDDEN_MS_MAX)
      else if (aborter?.signal.aborted) follow()
    }
    document.addEventListener('visibilitychange', onVisibility)
    follow()
    return () => {
      clearTimeout(hiddenTimer)
      document.removeEventListener('visibilitychange', onVisibility)
      pipe.stop()
      aborter?.abort()
    }
  }, [key, everyMs])
  return connection
}

/** What happens to all jobs, from now on. */
export function useAllEvents(onEvents: (events: readonly WireEvent[]) => void, everyMs: number): Connection {
  return useEvents(
    'all',
    ({ after, ...rest }) => headrace.events(after === undefined ? rest : { after, ...rest }),
    onEvents,
    everyMs,
  )
}

/** What happened and happens to a job and all that it started, from its beginning. */
export function useTreeEvents(
  id: string,
  onEvents: (events: readonly WireEvent[]) => void,
  everyMs: number,
): Connection {
  return useEvents(id, (options) => headrace.job(id).events({ ...options, tree: true }), onEvents, everyMs)
}
