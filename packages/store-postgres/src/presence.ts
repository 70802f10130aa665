import type { Clock, Timer } from '@headrace/engine'
import { statements } from './connection/named.ts'
import type { Session } from './connection/session.ts'
import { holdTime } from './hold.ts'
import { RENEWALS_PER_LEASE, register } from './presence-session.ts'

/**
 * Shows the others that this process lives, and renews the leases of its workers. Its session holds an advisory lock, which
 * ends with the process at once; a process that is only unreachable is noticed by its leases.
 */
export interface Presence {
  /** Makes the process known at its first worker. @returns its number */
  show(): Promise<number>
  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void
  letGo(worker: number): void
  /** This process may hold jobs from now on, whose code may keep its event loop busy. */
  guard(): void
  /** Resolves when every renewal that was due by now has been made. */
  renewed(): Promise<unknown>
  close(): Promise<void>
}

/** Renews by the store's clock, within its event loop: for simulated time. */
export class ClockPresence implements Presence {
  readonly #open: () => Promise<Session>
  readonly #clock: Clock
  readonly #timers = new Map<number, Timer>()
  readonly #renewing = new Set<Promise<void>>()
  #session: Session | undefined
  #process: Promise<number> | undefined

  constructor(open: () => Promise<Session>, clock: Clock) {
    this.#open = open
    this.#clock = clock
  }

  show(): Promise<number> {
    this.#process ??= this.#register()
    return this.#process
  }

  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void {
    const renew = async () => {
      const rows = await this.#session?.run(statements.renewLeases, [[worker], this.#clock.now()])
      if (rows?.length !== 0 || !this.#timers.has(worker)) return
      this.letGo(worker)
      onLost('its lease lapsed')
    }
    const fire = () => {
      again()
      this.#hold(renew())
    }
    const again = () => {
      const timer = this.#clock.setTimeout(fire, leaseMs / RENEWALS_PER_LEASE, { background: true })
      this.#timers.set(worker, timer)
    }
    again()
  }

  guard(): void {}

  renewed(): Promise<unknown> {
    return Promise.allSettled(this.#renewing)
  }

  #hold(renewing: Promise<void>): void {
    this.#renewing.add(renewing)
    const done = () => void this.#renewing.delete(renewing)
    renewing.then(done, done)
    holdTime(this.#clock, renewing)
  }

  letGo(worker: number): void {
    this.#timers.get(worker)?.cancel()
    this.#timers.delete(worker)
  }

  async close(): Promise<void> {
    for (const worker of this.#timers.keys()) this.letGo(worker)
    await this.renewed()
    const id = await this.#process
    if (id !== undefined) await this.#session?.run(statements.deleteProcesses, [[id]])
    await this.#session?.close()
  }

  async #register(): Promise<number> {
    this.#session = await this.#open()
    return register(this.#session, this.#clock.now())
  }
}
