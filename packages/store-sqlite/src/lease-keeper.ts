import { Worker as Thread } from 'node:worker_threads'
import type { Clock, Timer } from '@headrace/engine'
import type { Context } from './prepared.ts'

/** Renews the leases of this process's workers. */
export interface LeaseKeeper {
  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void
  letGo(worker: number): void
  close(): Promise<void>
}

// Renew at a third of the lease, so that one renewal may fail and the next still lands before it lapses.
export const RENEWALS_PER_LEASE = 3

/** What is said between the store and its renewing thread. */
export type KeeperRequest = { readonly keep: number; readonly leaseMs: number } | { readonly letGo: number } | 'close'
export type KeeperReport = { readonly lost: number; readonly reason: string }

/**
 * Renews from a thread of its own, on a connection of its own: a task that keeps the event loop busy for a minute does
 * not look dead.
 */
export class ThreadLeaseKeeper implements LeaseKeeper {
  readonly #path: string
  readonly #onLost = new Map<number, (reason: string) => void>()
  #thread: Thread | undefined

  constructor(path: string) {
    this.#path = path
  }

  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void {
    this.#onLost.set(worker, onLost)
    this.#thread ??= this.#startThread()
    this.#say({ keep: worker, leaseMs })
  }

  letGo(worker: number): void {
    this.#onLost.delete(worker)
    this.#say({ letGo: worker })
  }

  async close(): Promise<void> {
    const thread = this.#thread
    if (thread === undefined) return
    this.#thread = undefined
    await new Promise<void>((resolve) => {
      thread.once('exit', () => resolve())
      thread.ref()
      thread.postMessage('close' satisfies KeeperRequest)
    })
  }

  #say(request: KeeperRequest): void {
    this.#thread?.postMessage(request)
  }

  #startThread(): Thread {
    const thread = new Thread(new URL('./lease-keeper-thread.ts', import.meta.url), {
      workerData: { path: this.#path },
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    })
    thread.unref()
    thread.on('message', ({ lost, reason }: KeeperReport) => this.#onLost.get(lost)?.(reason))
    thread.on('error', (error: Error) => {
      // The next worker gets a thread that lives.
      if (this.#thread === thread) this.#thread = undefined
      const lost = [...this.#onLost.values()]
      this.#onLost.clear()
      for (const onLost of lost) onLost(`its lease can no longer be renewed: ${error.message}`)
    })
    return thread
  }
}

/** Renews by the store's clock, within its event loop: for simulated time. */
export class ClockLeaseKeeper implements LeaseKeeper {
  readonly #context: Context
  readonly #timers = new Map<number, Timer>()

  constructor(context: Context) {
    this.#context = context
  }

  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void {
    const { sql, clock }: { sql: Context['sql']; clock: Clock } = this.#context
    const renew = () => {
      const { changes } = sql.run('renewLease', clock.now() + leaseMs, worker)
      if (changes === 0) onLost('its lease lapsed')
      else this.#timers.set(worker, clock.setTimeout(renew, leaseMs / RENEWALS_PER_LEASE, { background: true }))
    }
    this.#timers.set(worker, clock.setTimeout(renew, leaseMs / RENEWALS_PER_LEASE, { background: true }))
  }

  letGo(worker: number): void {
    this.#timers.get(worker)?.cancel()
    this.#timers.delete(worker)
  }

  async close(): Promise<void> {
    for (const worker of this.#timers.keys()) this.letGo(worker)
  }
}
