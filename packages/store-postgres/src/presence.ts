import { hostname } from 'node:os'
import { Worker as Thread } from 'node:worker_threads'
import type { Clock, Timer } from '@headrace/engine'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'
import { holdTime } from './hold.ts'

/**
 * Shows the others that this process lives, and renews the leases of its workers. Its session holds an advisory lock, which
 * ends with the process at once; a process that is only unreachable is noticed by its leases.
 */
export interface Presence {
  /** Makes the process known at its first worker. @returns its number */
  show(): Promise<number>
  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void
  letGo(worker: number): void
  /** Resolves when every renewal that was due by now has been made. */
  renewed(): Promise<unknown>
  close(): Promise<void>
}

// Renew at a third of the lease, so that one renewal may fail and the next still lands before it lapses.
export const RENEWALS_PER_LEASE = 3

/** Makes a process known on this session: its row, and the lock that says that it lives. */
export async function register(session: Session, now: number): Promise<number> {
  const [row] = await session.run<{ readonly id: number }>(statements.insertProcess, [hostname(), process.pid, now])
  if (row === undefined) throw new Error('the process was not registered')
  await session.run(statements.lockProcess, [row.id])
  return row.id
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

export type PresenceRequest = { readonly keep: number; readonly leaseMs: number } | { readonly letGo: number } | 'close'
export type PresenceReport =
  | { readonly process: number }
  | { readonly failed: unknown }
  | { readonly lost: number; readonly reason: string }

/**
 * From a thread of its own, on a connection of its own: a task that keeps the event loop busy for a minute does not look
 * dead.
 */
export class ThreadPresence implements Presence {
  readonly #place: { readonly url: string; readonly schema: string }
  readonly #onLost = new Map<number, (reason: string) => void>()
  #thread: Thread | undefined
  #process: Promise<number> | undefined

  constructor(place: { readonly url: string; readonly schema: string }) {
    this.#place = place
  }

  show(): Promise<number> {
    this.#process ??= this.#start()
    return this.#process
  }

  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void {
    this.#onLost.set(worker, onLost)
    this.#thread?.postMessage({ keep: worker, leaseMs } satisfies PresenceRequest)
  }

  letGo(worker: number): void {
    this.#onLost.delete(worker)
    this.#thread?.postMessage({ letGo: worker } satisfies PresenceRequest)
  }

  async renewed(): Promise<void> {}

  async close(): Promise<void> {
    const thread = this.#thread
    if (thread === undefined) return
    this.#thread = undefined
    await new Promise<void>((resolve) => {
      thread.once('exit', () => resolve())
      thread.ref()
      thread.postMessage('close' satisfies PresenceRequest)
    })
  }

  #start(): Promise<number> {
    const thread = new Thread(new URL('./presence-thread.ts', import.meta.url), {
      workerData: this.#place,
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    })
    this.#thread = thread
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        this.#process = undefined
        this.#thread = undefined
        reject(error)
        for (const onLost of this.#onLost.values()) onLost(`its lease can no longer be renewed: ${error}`)
        this.#onLost.clear()
      }
      thread.on('error', fail)
      thread.on('message', (report: PresenceReport) => {
        if ('lost' in report) this.#onLost.get(report.lost)?.(report.reason)
        else if ('failed' in report) fail(report.failed)
        else {
          thread.unref()
          // After it was taken for dead, the process has another number for its next workers.
          this.#process = Promise.resolve(report.process)
          resolve(report.process)
        }
      })
    })
  }
}

export function renewal(workers: readonly number[]) {
  return call(statements.renewLeases, workers, null)
}
