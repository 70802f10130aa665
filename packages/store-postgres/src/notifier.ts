import type { Hint } from '@headrace/engine'
import { statements } from './connection/named.ts'
import type { Call } from './connection/pipeline.ts'
import { call, type Session } from './connection/session.ts'

/** PostgreSQL takes payloads of less than 8000 bytes. */
const PAYLOAD_BYTES_MAX = 7_900
/** So many ids of 36 characters, in quotes and with commas, fit beside the rest. */
const IDS_MAX = 180
/** While so much is on its way already, more waits for it, so that a burst is a few messages and not thousands. */
const PART_MAX = 50
const PING_MS = 5_000
const RETRY_MS = 500
/** Whoever only follows events is told this late at most: waking somebody costs more than storing an event. */
const EVENTS_WITHIN_MS = 50

type Message = { readonly from: string; readonly hint: Hint }

/**
 * Wakes the other processes on the schema, and is woken by them, over a connection of its own: `notify` inside the
 * transactions that write would have them wait for each other. Hints are gathered while a message is on its way. They may be
 * lost, with the connection, and nothing depends on them. A connection that is silently dead is found by a ping.
 */
export class Notifier {
  readonly #open: () => Promise<Session>
  readonly #channel: string
  readonly #onHint: (hint: Hint) => void
  /** Tells this process's own messages, which come back to it, from those of others. */
  readonly #name = `${process.pid}-${Math.random().toString(36).slice(2)}`
  #session: Session | undefined
  #pending: Hint[] = []
  #isSending = false
  #eventsTimer: NodeJS.Timeout | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: { open: () => Promise<Session>; schema: string; onHint: (hint: Hint) => void }) {
    this.#open = options.open
    this.#channel = `headrace_${options.schema}`.slice(0, 63)
    this.#onHint = options.onHint
  }

  /** Resolves when it listens, or has found that it cannot yet; it tries on. */
  async start(): Promise<void> {
    if (this.#isClosed) return
    try {
      const session = await this.#open()
      session.unref()
      session.onEnd = () => this.#restart()
      session.onNotification(({ payload = '' }) => this.#receive(payload))
      await session.script(`listen ${this.#channel}`)
      this.#session = session
      this.#timer = setTimeout(() => void this.#ping(), PING_MS)
      this.#timer.unref()
    } catch {
      // Without wake-ups everything still runs, by looking now and then.
      this.#restart()
    }
    if (this.#isClosed) await this.close()
  }

  send(hint: Hint): void {
    if (this.#isClosed) return
    const { events, ...urgent } = hint
    this.#pending.push(hint)
    if (Object.keys(urgent).length > 0) void this.#flush()
    else if (events) {
      this.#eventsTimer ??= setTimeout(() => void this.#flush(), EVENTS_WITHIN_MS)
      this.#eventsTimer.unref()
    }
  }

  /** What another session may send behind a transaction: it spares the waking up of a second one. */
  callsFor(hint: Hint): readonly Call[] {
    return this.#isClosed || this.#session === undefined ? [] : [this.#callFor([hint])]
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#eventsTimer)
    const session = this.#session
    this.#session = undefined
    await session?.close()
  }

  async #flush(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    // What else this turn has to tell goes along.
    await Promise.resolve()
    while (this.#pending.length > 0 && this.#session !== undefined) {
      clearTimeout(this.#eventsTimer)
      this.#eventsTimer = undefined
      const hints = this.#pending.splice(0)
      try {
        await this.#session.pipeline([this.#callFor(hints)])
      } catch {
        // They were hints: whoever missed them looks for himself.
      }
    }
    this.#pending = []
    this.#isSending = false
  }

  #callFor(hints: readonly Hint[]): Call {
    const payloads = messagesOf(hints).map((hint) => JSON.stringify({ from: this.#name, hint } satisfies Message))
    return call(statements.notify, this.#channel, payloads)
  }

  #receive(payload: string): void {
    try {
      const { from, hint } = JSON.parse(payload) as Message
      if (from !== this.#name && typeof hint === 'object') this.#onHint(hint)
    } catch {
      // Not from us.
    }
  }

  async #ping(): Promise<void> {
    const session = this.#session
    if (session === undefined) return
    // One that does not answer ends its connection, and `onEnd` opens another one.
    await session.script('select 1').catch(() => {})
    this.#timer = setTimeout(() => void this.#ping(), PING_MS)
    this.#timer.unref()
  }

  #restart(): void {
    this.#session = undefined
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#reconnect(), RETRY_MS)
    this.#timer.unref()
  }

  async #reconnect(): Promise<void> {
    await this.start()
    // Whatever was told meanwhile was not heard.
    if (this.#session !== undefined) this.#onHint({ all: true })
  }
}

/** Many hints as few messages, each small enough. */
function messagesOf(hints: readonly Hint[]): Hint[] {
  const union = <T>(pick: (hint: Hint) => readonly T[] | undefined) => [
    ...new Set(hints.flatMap((hint) => pick(hint) ?? [])),
  ]
  const [queues, ended] = [union(({ queues }) => queues), union(({ ended }) => ended)]
  const [released, cancelled] = [union(({ released }) => released), union(({ cancelled }) => cancelled)]
  const dueAt = Math.min(...hints.map((hint) => hint.dueAt ?? Number.POSITIVE_INFINITY))
  const first: Hint = {
    ...(queues.length > 0 && { queues }),
    ...(dueAt !== Number.POSITIVE_INFINITY && { dueAt }),
    ...(hints.some((hint) => hint.events) && { events: true }),
    ...(hints.some((hint) => hint.all) && { all: true }),
  }
  const rest = [
    ...inParts(ended).map((part) => ({ ended: part })),
    ...inParts(released).map((part) => ({ released: part })),
    ...inParts(cancelled).map((part) => ({ cancelled: part })),
  ]
  const [second = {}, ...others] = rest
  const messages = [{ ...first, ...second }, ...others]
  const isTooLarge = messages.length > PART_MAX || JSON.stringify(messages[0]).length > PAYLOAD_BYTES_MAX
  return isTooLarge ? [{ all: true }] : messages
}

function inParts<T>(values: readonly T[]): T[][] {
  const parts: T[][] = []
  for (let first = 0; first < values.length; first += IDS_MAX) parts.push(values.slice(first, first + IDS_MAX))
  return parts
}
