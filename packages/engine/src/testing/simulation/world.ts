import type { Clock, Timer } from '../../clock/clock.ts'

type Event = {
  at: number
  readonly order: number
  readonly of: SimulatedProcess
  readonly fn: () => void
  readonly deferred: boolean
}

/**
 * Time and chance of a simulation. Nothing happens but what is drawn from the one random source, one event at a time;
 * after each event all promises come to rest before the next one, so a seed says everything.
 */
export class World {
  readonly random: () => number
  now = Date.parse('2030-01-01T00:00:00Z')
  readonly processes: SimulatedProcess[] = []
  readonly #events = new Set<Event>()
  #order = 0
  /** The simulation is over: what is still deferred runs at once, so that files can be closed. */
  #isOver = false

  constructor(random: () => number) {
    this.random = random
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1))
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.random() * from.length)]
    if (picked === undefined) throw new Error('there is nothing to pick from')
    return picked
  }

  process(name: string): SimulatedProcess {
    const process = new SimulatedProcess(this, `${name}-${this.processes.length}`)
    this.processes.push(process)
    return process
  }

  schedule(of: SimulatedProcess, at: number, fn: () => void, deferred: boolean): Timer {
    if (this.#isOver) {
      if (deferred) setImmediate(fn)
      return { cancel: () => {} }
    }
    const event = { at, order: this.#order++, of, fn, deferred }
    this.#events.add(event)
    return { cancel: () => void this.#events.delete(event) }
  }

  /** Lets time run until `isDone`, or until `until`. */
  async run(isDone: () => boolean, until: number): Promise<void> {
    await rest()
    while (!isDone()) {
      const event = this.#next()
      if (event === undefined || event.at > until) return
      this.#events.delete(event)
      this.now = Math.max(this.now, event.at)
      event.fn()
      await rest()
    }
  }

  /** Lets go of what dead and paused processes had begun, so that they can close their files. */
  async end(): Promise<void> {
    this.#isOver = true
    for (const event of this.#events) if (event.deferred) setImmediate(event.fn)
    this.#events.clear()
    await rest()
  }

  #next(): Event | undefined {
    let next: Event | undefined
    for (const event of this.#events) {
      if (!event.of.isAlive) continue
      // A paused process does nothing; what fell due meanwhile happens as soon as it goes on.
      if (event.at < event.of.pausedUntil) event.at = event.of.pausedUntil
      if (next === undefined || event.at < next.at || (event.at === next.at && event.order < next.order)) next = event
    }
    return next
  }
}

/** One process of the simulation: it can be paused and killed, and its clock with it. */
export class SimulatedProcess {
  readonly name: string
  readonly clock: Clock
  readonly #world: World
  isAlive = true
  /** Whether others see at once that it is dead, or only by its leases. */
  isUnreachable = false
  pausedUntil = 0
  #lastDefer = 0

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    this.clock = {
      now: () => world.now,
      setTimeout: (fn, delayMs) => world.schedule(this, world.now + Math.max(0, Math.ceil(delayMs)), fn, false),
      defer: (fn) => void world.schedule(this, this.#deferredAt(), fn, true),
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms))
  }

  // Mostly at once, sometimes after a busy moment of the event loop; never out of order.
  #deferredAt(): number {
    const busyMs = this.#world.chance(0.05) ? this.#world.between(1, 40) : 0
    this.#lastDefer = Math.max(this.#lastDefer, this.#world.now + busyMs)
    return this.#lastDefer
  }
}

function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
