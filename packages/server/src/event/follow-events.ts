import type { EventKind, JobEvent, JobId, Store } from '@headrace/engine'
import type { EventHub } from './event-hub.ts'
import type { Feed } from './feed.ts'

export type Following = {
  /** Only events with a greater cursor. */
  readonly after: number
  /** One job, or with `tree` it and its descendants; all jobs when left out. */
  readonly jobId?: JobId
  readonly tree?: boolean
  readonly kinds?: readonly EventKind[]
  /** Whether the caller may see this event; asked of live ones and old ones alike. */
  readonly accepts: (event: JobEvent) => boolean | Promise<boolean>
  /** After so long without an event an empty page is given, as a sign of life. */
  readonly idleMs: number
  readonly signal: AbortSignal
}

const PAGE_SIZE = 500

/**
 * Every event after a cursor, in order, without gap or duplicate: first what is stored, then what comes. A follower that
 * does not keep up falls back to reading the store, at its own pace, so that nothing is held for it.
 * An empty page says that all that is stored was given; the next ones are signs of life. Ends when the signal fires or
 * the hub closes.
 */
export async function* followEvents(
  store: Store,
  hub: EventHub,
  following: Following,
): AsyncGenerator<readonly JobEvent[], void> {
  const { signal } = following
  const position = { cursor: following.after }
  while (!signal.aborted) {
    // Joined before the store is read, so that an event stored in between is in both, and dropped from the feed below.
    const feed = await hub.join()
    const leave = () => feed.close()
    signal.addEventListener('abort', leave)
    try {
      yield* stored(store, following, position)
      yield []
      if ((yield* live(feed, following, position)) === 'closed') return
    } finally {
      signal.removeEventListener('abort', leave)
      hub.leave(feed)
    }
  }
}

type Position = { cursor: number }

async function* stored(store: Store, following: Following, position: Position) {
  for (let isBehind = true; isBehind && !following.signal.aborted; ) {
    const events = await readStored(store, following, position.cursor)
    position.cursor = events.at(-1)?.cursor ?? position.cursor
    isBehind = events.length === PAGE_SIZE
    const visible = await accepted(events, following)
    if (visible.length > 0) yield visible
  }
}

async function* live(feed: Feed, following: Following, position: Position) {
  const { idleMs, signal } = following
  for (let quietSince = performance.now(); !signal.aborted; ) {
    const page = await feed.next(Math.max(0, idleMs - (performance.now() - quietSince)))
    if (page === 'closed' || page === 'overflowed') return page
    const fresh = page.filter((event) => event.cursor > position.cursor)
    position.cursor = fresh.at(-1)?.cursor ?? position.cursor
    const visible = await accepted(
      fresh.filter((event) => isOfKind(event, following)),
      following,
    )
    // Other jobs' events wake it too, and must not keep the sign of life from being given.
    if (visible.length === 0 && performance.now() - quietSince < idleMs) continue
    yield visible
    quietSince = performance.now()
  }
  return 'closed' as const
}

function readStored(store: Store, { jobId, tree, kinds }: Following, after: number): Promise<readonly JobEvent[]> {
  return store.events({
    after,
    limit: PAGE_SIZE,
    ...(jobId === undefined ? {} : { jobId }),
    ...(tree === undefined ? {} : { tree }),
    ...(kinds === undefined ? {} : { kinds }),
  })
}

function isOfKind(event: JobEvent, { kinds }: Following): boolean {
  return kinds === undefined || kinds.includes(event.kind)
}

async function accepted(events: readonly JobEvent[], { accepts }: Following): Promise<readonly JobEvent[]> {
  const kept: JobEvent[] = []
  for (const event of events) {
    const verdict = accepts(event)
    // Mostly known at once; to await that too would cost a turn of the queue for each event and follower.
    if (typeof verdict === 'boolean' ? verdict : await verdict) kept.push(event)
  }
  return kept
}
