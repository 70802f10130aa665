import type { Worker as Thread } from 'node:worker_threads'
import type { Presence } from './presence.ts'
import { type KeptWorker, type PresencePlace, type PresenceReport, PresenceSession } from './presence-session.ts'

export type PresenceRequest = { readonly keep: KeptWorker } | { readonly letGo: number } | 'close'

type Place = Pick<PresencePlace, 'url' | 'schema'>

/**
 * Shows the process from within its event loop, until a job may keep that busy; from then on from a thread of its own, so
 * that a task that keeps the loop busy for a minute does not look dead. A thread takes 19 MB, which a worker that waits for
 * its first job does not need.
 */
export class GuardedPresence implements Presence {
  readonly #place: Place
  readonly #onLost = new Map<number, (reason: string) => void>()
  /** Until a thread shows the process. */
  #loop: PresenceSession | undefined
  #thread: Thread | undefined
  #process: Promise<number> | undefined

  constructor(place: Place) {
    this.#place = place
  }

  show(): Promise<number> {
    this.#process ??= this.#startLoop()
    return this.#process
  }

  keep(worker: number, leaseMs: number, onLost: (reason: string) => void): void {
    this.#onLost.set(worker, onLost)
    const kept = { worker, leaseMs, renewedMsAgo: 0 }
    this.#loop?.keep(kept)
    this.#tellThread({ keep: kept })
  }

  letGo(worker: number): void {
    this.#onLost.delete(worker)
    this.#loop?.letGo(worker)
    this.#tellThread({ letGo: worker })
  }

  guard(): void {
    const loop = this.#loop
    if (this.#thread !== undefined || loop === undefined) return
    const kept = loop.renewAll()
    const thread = this.#startThread({ ...this.#place, process: loop.process })
    this.#thread = thread
    for (const one of kept) this.#tellThread({ keep: one })
  }

  async renewed(): Promise<void> {}

  async close(): Promise<void> {
    await Promise.all([this.#closeThread(), this.#loop?.close()])
  }

  #startLoop(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const loop = new PresenceSession(this.#place, (report) => {
      if ('failed' in report) {
        this.#loop = this.#process = undefined
        reject(report.failed)
        return
      }
      if ('process' in report) resolve(report.process)
      this.#hear(report)
    })
    this.#loop = loop
    void loop.start()
    return promise
  }

  #startThread(workerData: PresencePlace): Thread {
    // Loaded with the first job, like the thread itself.
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    const thread = new Worker(new URL('./presence-thread.ts', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    })
    thread.unref()
    thread.on('message', (report: PresenceReport) => {
      this.#hear(report)
      if ('process' in report) this.#leaveLoop()
    })
    thread.on('error', (error: Error) => this.#loseThread(error))
    return thread
  }

  #hear(report: PresenceReport): void {
    // After it was taken for dead, the process has another number for its next workers.
    if ('process' in report) this.#process = Promise.resolve(report.process)
    if (!('lost' in report)) return
    const onLost = this.#onLost.get(report.lost)
    this.letGo(report.lost)
    onLost?.(report.reason)
  }

  /** Only once the thread shows the process: it is never unseen. */
  #leaveLoop(): void {
    void this.#loop?.leave()
    this.#loop = undefined
  }

  #loseThread(error: Error): void {
    // The next worker begins anew.
    this.#thread = this.#process = undefined
    this.#leaveLoop()
    const lost = [...this.#onLost.values()]
    this.#onLost.clear()
    for (const onLost of lost) onLost(`its lease can no longer be renewed: ${error}`)
  }

  async #closeThread(): Promise<void> {
    const thread = this.#thread
    if (thread === undefined) return
    this.#thread = undefined
    await new Promise<void>((resolve) => {
      thread.once('exit', () => resolve())
      thread.ref()
      thread.postMessage('close' satisfies PresenceRequest)
    })
  }

  #tellThread(request: PresenceRequest): void {
    this.#thread?.postMessage(request)
  }
}
