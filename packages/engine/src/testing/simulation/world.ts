import type { Clock, Timer } from '../../clock/clock.ts'
import { Dice } from './dice.ts'

/** Whose events happen only while it lives, and not while it stands still. */
type Actor = { readonly isAlive: boolean; readonly standsUntil: number }

type Event = {
  at: number
  readonly order: number
  readonly of: Actor
  readonly fn: () => void
  readonly deferred: boolean
}

/**
 * Time of a simulation. One event at a time; after each, all promises come to rest before the next one. Chance is drawn from
 * a source of each process's own, so that what is left out of a plan changes the rest as little as can be.
 */
export class World {
  readonly seed: string
  /** Time as it goes by, which no clock can change. */
  now = Date.parse('2030-01-01T00:00:00Z')
  /** How far the clock of the machine, which is the store's, was set. */
  jumpedMs = 0
  /** Until then nothing more can be written to the disk. */
  fullUntil = 0
  readonly processes: SimulatedProcess[] = []
  readonly #events = new Set<Event>()
  #order = 0
  /** The simulation is over: what is still deferred runs at once, so that files can be closed. */
  #isOver = false

  constructor(seed: string) {
    this.seed = seed
  }

  get isFull(): boolean {
    return this.now < this.fullUntil
  }

  process(name: string): SimulatedProcess {
    const process = new SimulatedProcess(this, `${name}-${this.processes.length}`)
    this.processes.push(process)
    return process
  }

  schedule(of: Actor, at: number, fn: () => void, deferred: boolean): Timer {
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
      if (event === undefined || event.at > until) {
        this.now = Math.max(this.now, until)
        return
      }
      this.#events.delete(event)
      this.now = Math.max(this.now, event.at)
      event.fn()
      await rest()
    }
  }

  /** Nothing stands still or is out of reach any more. */
  calm(): void {
    this.fullUntil = 0
    for (const process of this.processes) process.heal()
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
      // What fell due while somebody stood still happens as soon as it goes on.
      if (event.at < event.of.standsUntil) event.at = event.of.standsUntil
      if (next === undefined || event.at < next.at || (event.at === next.at && event.order < next.order)) next = event
    }
    return next
  }
}

/** One process of the simulation: it can be paused, cut off and killed, and its clocks with it. */
export class SimulatedProcess {
  readonly name: string
  readonly dice: Dice
  /** The one that the program reads; it may go wrong by `skewMs`. */
  readonly clock: Clock
  /** The store's, of which every process sees the same time. Its timers stand still while this process is cut off. */
  readonly storeClock: Clock
  readonly #world: World
  isAlive = true
  /** Whether others see at once that it is dead, or only by its leases. */
  isUnreachable = false
  skewMs = 0
  pausedUntil = 0
  cutOffUntil = 0

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    this.dice = new Dice(`${world.seed} ${name}`)
    const process = this
    const link: Actor = {
      get isAlive() {
        return process.isAlive
      },
      get standsUntil() {
        return Math.max(process.pausedUntil, process.cutOffUntil)
      },
    }
    this.clock = this.#clockOf(this, () => this.skewMs)
    this.storeClock = this.#clockOf(link, () => 0)
  }

  get standsUntil(): number {
    return this.pausedUntil
  }

  /** Its store is out of reach. */
  get isCutOff(): boolean {
    return this.#world.now < this.cutOffUntil
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms))
  }

  /** Resolves when its store can be reached, and so much later. */
  reaches(ms = 0): Promise<void> {
    return new Promise((resolve) => this.storeClock.setTimeout(resolve, ms))
  }

  heal(): void {
    this.pausedUntil = 0
    this.cutOffUntil = 0
    this.skewMs = 0
  }

  #clockOf(actor: Actor, skewMs: () => number): Clock {
    const world = this.#world
    let lastDefer = 0
    // Mostly at once, sometimes after a busy moment of the event loop; never out of order.
    const deferredAt = () => {
      const busyMs = this.dice.chance(0.05) ? this.dice.between(1, 40) : 0
      lastDefer = Math.max(lastDefer, world.now + busyMs)
      return lastDefer
    }
    return {
      now: () => world.now + world.jumpedMs + skewMs(),
      setTimeout: (fn, delayMs) => world.schedule(actor, world.now + Math.max(0, Math.ceil(delayMs)), fn, false),
      defer: (fn) => void world.schedule(actor, deferredAt(), fn, true),
    }
  }
}

function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
