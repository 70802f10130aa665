import type { EventKind, StatusInfo, WireEvent } from '@headrace/wire'
import { type Connection, followEvents } from '../events/follow-events.ts'
import type { Http } from '../http/http.ts'
import { isEnded } from './wait-for-end.ts'

export type FollowJobOptions = {
  /** Only events with a greater cursor; all of them when left out. */
  readonly after?: number | undefined
  /** Also those of the job's descendants. */
  readonly tree?: boolean | undefined
  /** Only these kinds, and the job's `ended`. */
  readonly kinds?: readonly EventKind[] | undefined
  readonly signal?: AbortSignal | undefined
  /** Told when the connection is lost and when it is back; the events go on by themselves. */
  readonly onConnection?: ((connection: Connection) => void) | undefined
}

/** The events of one job, each once and in order, up to and including its own `ended`. */
export function followJob(http: Http, id: string, options: FollowJobOptions): AsyncGenerator<WireEvent, void> {
  const path = `/jobs/${encodeURIComponent(id)}`
  return followEvents(http, {
    path: `${path}/events`,
    query: { tree: options.tree ? true : undefined, kinds: options.kinds?.join(',') },
    after: options.after ?? 0,
    signal: options.signal,
    onConnection: options.onConnection,
    isLast: (event) => event.kind === 'ended' && event.jobId === id,
    isOver: async () =>
      isEnded(await http.json<StatusInfo>({ path, signal: options.signal, retryForMs: Number.POSITIVE_INFINITY })),
  })
}
