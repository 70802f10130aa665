import type { WireEvent } from '@headrace/wire'
import { sleep } from '../clock/clock.ts'
import type { Http, Query } from '../http/http.ts'
import { isPassing } from '../http/retry.ts'
import { createLadder, type Ladder } from './ladder.ts'
import { type Ended, reconnectAfterMs, wentWell } from './pace.ts'
import { readEvents } from './read-events.ts'

/** Whether events arrive at the moment; `reason` is what broke the connection. */
export type Connection = { readonly state: 'live' } | { readonly state: 'lost'; readonly reason: unknown }

export type FollowOptions = {
  readonly path: string
  readonly query?: Query
  /** Only events with a greater cursor. */
  readonly after: number
  readonly signal?: AbortSignal | undefined
  /** Whether nothing follows this event. */
  readonly isLast: (event: WireEvent) => boolean
  /** Asked after an empty page: whether everything has happened. */
  readonly isOver: () => Promise<boolean>
  readonly onConnection?: ((connection: Connection) => void) | undefined
}

/** The cursor of the last event given; what each connection asks to go on from. */
type Position = { cursor: number }

/**
 * Every event after the cursor, once and in order, however often the connection is lost. The server gives events in the
 * order of their cursors and begins after the one it is asked for; so an event whose cursor is not greater than the
 * last one's was given before, and is dropped.
 * @throws what the server answered, when asking again is useless; the signal's reason when it aborts
 */
export async function* followEvents(http: Http, options: FollowOptions): AsyncGenerator<WireEvent, void> {
  const ladder = createLadder(http.clock)
  const position: Position = { cursor: options.after }
  let failures = 0
  let wasOver = false
  for (;;) {
    const ended = yield* followOnce(http, options, ladder, position)
    if (ended === 'last' || ended.form === 'none') return
    // A stream that merely ends proves nothing, for it may have been cut; a page is whole. The page after the one that
    // found everything over has all that was left.
    if (ended.form === 'page' && ended.brought === 0) {
      if (wasOver) return
      wasOver = await options.isOver()
      if (wasOver) continue
    }
    const delayMs = reconnectAfterMs(ended, failures, http.random)
    failures = wentWell(ended) ? 0 : failures + 1
    await sleep(http.clock, delayMs, options.signal)
  }
}

async function* followOnce(
  http: Http,
  options: FollowOptions,
  ladder: Ladder,
  position: Position,
): AsyncGenerator<WireEvent, Ended | 'last'> {
  const openedAt = http.clock.now()
  const rung = ladder.rung()
  const so = { form: 'silent' as Ended['form'], brought: 0, againAfterMs: undefined as number | undefined }
  const ended = (error?: unknown): Ended => ({ ...so, rung, livedMs: http.clock.now() - openedAt, error })
  const query = { ...options.query, cursor: position.cursor }
  const batches = readEvents(http, { path: options.path, query, rung, signal: options.signal })
  try {
    for await (const batch of batches) {
      if (so.form === 'silent') options.onConnection?.({ state: 'live' })
      so.form = batch.form
      so.againAfterMs = batch.againAfterMs
      for (const event of batch.events) {
        if (event.cursor <= position.cursor) continue
        position.cursor = event.cursor
        so.brought++
        yield event
        if (options.isLast(event)) return 'last'
      }
      position.cursor = Math.max(position.cursor, batch.cursor ?? 0)
    }
  } catch (error) {
    options.signal?.throwIfAborted()
    if (!isPassing(error)) throw error
    options.onConnection?.({ state: 'lost', reason: error })
    tellLadder(ladder, so.form)
    return ended(error)
  }
  tellLadder(ladder, so.form)
  return ended()
}

/** A connection that said anything at all shows that its rung carries; what became of it later is bad luck. */
function tellLadder(ladder: Ladder, form: Ended['form']): void {
  if (form === 'silent') ladder.failed()
  else ladder.worked()
}
