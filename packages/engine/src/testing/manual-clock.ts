import type { Clock, Timer, TimerOptions } from '../clock/clock.ts'

type Alarm = { readonly at: number; readonly order: number; readonly fn: () => void; readonly isRoutine: boolean }

/**
 * A clock that stands still until it is told to move. Timers fire in the order of their instants, and in the order in
 * which they were set where those are the same. Its instants are whole milliseconds, as those of the machine's clock.
 * @example
 * const clock = new ManualClock('2030-01-01T00:00:00Z')
 * clock.setTimeout(() => console.log('later'), 1_000)
 * clock.advance({ ms: 1_000 }) // later
 */
export class ManualClock implements Clock {
  #now: number
  #order = 0
  readonly #alarms = new Set<Alarm>()
  #deferred = 0

  /** @param start ISO 8601, or milliseconds since 1970 */
  constructor(start: string | number = '2030-01-01T00:00:00Z') {
    this.#now = typeof start === 'number' ? start : Date.parse(start)
  }

  now(): number {
    return this.#now
  }

  setTimeout(fn: () => void, delayMs: number, { routine: isRoutine = false }: TimerOptions = {}): Timer {
    const alarm = { at: this.#now + Math.max(0, Math.ceil(delayMs)), order: this.#order++, fn, isRoutine }
    this.#alarms.add(alarm)
    return { cancel: () => void this.#alarms.delete(alarm) }
  }

  defer(fn: () => void): void {
    this.#deferred++
    setImmediate(() => {
      this.#deferred--
      fn()
    })
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#alarms.size
  }

  /** Moves on at once; each timer that falls due on the way sees its own instant. */
  advance({ ms }: { readonly ms: number }): void {
    const until = this.#now + ms
    for (let alarm = this.#next(until); alarm !== undefined; alarm = this.#next(until)) this.#fire(alarm)
    this.#now = until
  }

  /** Moves on as {@link advance} does, but lets what each timer begins come to rest before the next one fires. */
  async pass({ ms }: { readonly ms: number }): Promise<void> {
    const until = this.#now + ms
    await this.rest()
    for (let alarm = this.#next(until); alarm !== undefined; alarm = this.#next(until)) {
      this.#fire(alarm)
      await this.rest()
    }
    this.#now = until
  }

  /** Moves on, from timer to timer, until something holds. @throws when it does not within `ms` */
  async until(
    holds: () => boolean | Promise<boolean>,
    { ms }: { readonly ms: number } = { ms: 600_000 },
  ): Promise<void> {
    const until = this.#now + ms
    await this.rest()
    while (!(await holds())) {
      const alarm = this.#next(until)
      if (alarm === undefined) throw new Error(`What was waited for did not come true within ${ms} ms of the clock.`)
      this.#fire(alarm)
      await this.rest()
    }
  }

  /** When the first timer falls due, those left out that only look around; `Infinity` when there is none. */
  get nextAt(): number {
    const instants = [...this.#alarms].flatMap(({ at, isRoutine }) => (isRoutine ? [] : at))
    return Math.min(Number.POSITIVE_INFINITY, ...instants)
  }

  /** Moves to an instant at once, however far away, and fires what is due by then. Whatever only looks around does so once. */
  leap(instant: number): void {
    this.#now = Math.max(this.#now, instant)
    const due = [...this.#alarms].filter(({ at, isRoutine }) => isRoutine || at <= this.#now)
    for (const alarm of due.sort((a, b) => a.at - b.at || a.order - b.order)) {
      // One that fired may have called another one off.
      if (this.#alarms.delete(alarm)) alarm.fn()
    }
  }

  /** Resolves when nothing is left to do at this instant. */
  async rest(): Promise<void> {
    do await new Promise<void>((resolve) => setImmediate(resolve))
    while (this.#deferred > 0)
  }

  #fire(alarm: Alarm): void {
    this.#alarms.delete(alarm)
    this.#now = Math.max(this.#now, alarm.at)
    alarm.fn()
  }

  #next(until: number): Alarm | undefined {
    let next: Alarm | undefined
    for (const alarm of this.#alarms) {
      if (alarm.at > until) continue
      if (next === undefined || alarm.at < next.at || (alarm.at === next.at && alarm.order < next.order)) next = alarm
    }
    return next
  }
}
