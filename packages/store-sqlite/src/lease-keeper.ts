import type { Worker as Thread } from 'node:worker_threads'
import type { Clock, Timer } from '@headrace/engine'

/** Renews the leases of this process's workers. */
export interface LeaseKeeper {
  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void
  letGo(worker: number): void
  /** This process may hold jobs from now on, whose code may keep its event loop busy. */
  guard?(): void
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
    // Loaded with the first job, like the thread itself.
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    const thread = new Worker(new URL('./lease-keeper-thread.ts', import.meta.url), {
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

type Kept = { readonly leaseMs: number; readonly onLost: (reason: string) => void }

/** @returns whether the worker is still known; a promise of it, where others may hold the write lock */
type Renew = (worker: number, leaseMs: number) => boolean | Promise<boolean>

/** Renews by the store's clock, within its event loop: for simulated time, and while no job can keep that loop busy. */
export class LoopLeaseKeeper implements LeaseKeeper {
  readonly #clock: Clock
  readonly #renew: Renew
  readonly #timers = new Map<number, Timer>()

  constructor(clock: Clock, renew: Renew) {
    this.#clock = clock
    this.#renew = renew
  }

  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void {
    this.#renewLater(worker, { leaseMs, onLost }, this.#clock.now())
  }

  letGo(worker: number): void {
    this.#timers.get(worker)?.cancel()
    this.#timers.delete(worker)
  }

  async close(): Promise<void> {
    for (const worker of this.#timers.keys()) this.letGo(worker)
  }

  #renewLater(worker: number, kept: Kept, renewedAt: number): void {
    const everyMs = kept.leaseMs / RENEWALS_PER_LEASE
    const timer = this.#clock.setTimeout(() => this.#renewNow(worker, kept, renewedAt), everyMs, { background: true })
    this.#timers.set(worker, timer)
  }

  #renewNow(worker: number, kept: Kept, renewedAt: number): void {
    const timer = this.#timers.get(worker)
    const [now, answer] = [this.#clock.now(), this.#renew(worker, kept.leaseMs)]
    const go = (isKnown: boolean) => {
      // It was let go meanwhile.
      if (this.#timers.get(worker) !== timer) return
      if (isKnown) this.#renewLater(worker, kept, now)
      else this.#lose(worker, kept, 'its lease lapsed')
    }
    if (typeof answer === 'boolean') go(answer)
    else
      answer.then(go, (error: unknown) => {
        if (this.#timers.get(worker) === timer) this.#failed(worker, kept, renewedAt, error)
      })
  }

  // A worker that cannot renew stops itself before others take its jobs: the next try would come too late for that.
  #failed(worker: number, kept: Kept, renewedAt: number, error: unknown): void {
    const isLate = this.#clock.now() - renewedAt + kept.leaseMs / RENEWALS_PER_LEASE >= kept.leaseMs
    if (!isLate) this.#renewLater(worker, kept, renewedAt)
    else this.#lose(worker, kept, `its lease could not be renewed: ${(error as Error).message}`)
  }

  #lose(worker: number, { onLost }: Kept, reason: string): void {
    this.letGo(worker)
    onLost(reason)
  }
}

/**
 * Renews within the event loop, until a job of this process may keep that busy; from then on from a thread. A thread takes 9 MB, which
 * a worker that waits for its first job does not need.
 */
export class GuardedLeaseKeeper implements LeaseKeeper {
  readonly #loop: LoopLeaseKeeper
  readonly #startThread: () => LeaseKeeper
  readonly #kept = new Map<number, Kept>()
  #thread: LeaseKeeper | undefined

  constructor(loop: LoopLeaseKeeper, startThread: () => LeaseKeeper) {
    this.#loop = loop
    this.#startThread = startThread
  }

  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void {
    const lose = (reason: string) => {
      // Or the thread would be asked to go on with it, and tell of its loss once more.
      this.#kept.delete(worker)
      onLost(reason)
    }
    this.#kept.set(worker, { leaseMs, onLost: lose })
    const keeper = this.#thread ?? this.#loop
    keeper.keep(worker, leaseMs, lose)
  }

  letGo(worker: number): void {
    this.#kept.delete(worker)
    this.#loop.letGo(worker)
    this.#thread?.letGo(worker)
  }

  /** From now on this process holds jobs. */
  guard(): void {
    if (this.#thread !== undefined) return
    this.#thread = this.#startThread()
    for (const [worker, { leaseMs, onLost }] of this.#kept) {
      this.#loop.letGo(worker)
      this.#thread.keep(worker, leaseMs, onLost)
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#loop.close(), this.#thread?.close()])
  }
}
