import { hostname } from 'node:os'
import { parseAddress } from './connection/address.ts'
import { statements } from './connection/named.ts'
import { call, Session } from './connection/session.ts'

const RECONNECT_MS = 100
const RECONNECT_MS_MAX = 1_000
// Renew at a third of the lease, so that one renewal may fail and the next still lands before it lapses.
export const RENEWALS_PER_LEASE = 3

export type PresencePlace = {
  readonly url: string
  readonly schema: string
  /** The number under which another session shows this process until this one does. */
  readonly process?: number | undefined
}

/** A worker whose lease is renewed. `renewedMsAgo`: its lease was renewed so long ago. */
export type KeptWorker = { readonly worker: number; readonly leaseMs: number; readonly renewedMsAgo: number }

export type PresenceReport =
  | { readonly process: number }
  | { readonly failed: unknown }
  | { readonly lost: number; readonly reason: string }

type Kept = { readonly leaseMs: number; renewedAt: number; timer: NodeJS.Timeout | undefined }

/** Makes a process known on this session: its row, and the lock that says that it lives. */
export async function register(session: Session, now: number): Promise<number> {
  const [row] = await session.run<{ readonly id: number }>(statements.insertProcess, [hostname(), process.pid, now])
  if (row === undefined) throw new Error('the process was not registered')
  await session.run(statements.lockProcess, [row.id])
  return row.id
}

/**
 * A session of its own that shows the others that this process lives, and renews the leases of its workers. It comes back
 * when its connection is lost. It keeps neither its process nor its thread from ending.
 */
export class PresenceSession {
  readonly #place: PresencePlace
  readonly #say: (report: PresenceReport) => void
  readonly #kept = new Map<number, Kept>()
  #process: number | undefined
  #session: Session | undefined
  #isShown = false
  #isOver = false
  #comingBack: NodeJS.Timeout | undefined

  /** @param say told the process's number once it is shown, and whenever that changes; and of each lease that is lost */
  constructor(place: PresencePlace, say: (report: PresenceReport) => void) {
    this.#place = place
    this.#process = place.process
    this.#say = say
  }

  /** The number under which it shows the process, or showed it last. */
  get process(): number | undefined {
    return this.#process
  }

  async start(): Promise<void> {
    // Nothing is lost while another session shows the process: this one may try as often as it needs.
    if (this.#process !== undefined) return this.#reconnect(RECONNECT_MS)
    try {
      await this.#connect()
    } catch (error) {
      this.#say({ failed: error })
    }
  }

  keep({ worker, leaseMs, renewedMsAgo }: KeptWorker): void {
    const kept: Kept = { leaseMs, renewedAt: performance.now() - renewedMsAgo, timer: undefined }
    this.#kept.set(worker, kept)
    if (this.#isShown) this.#renewRegularly(worker, kept)
  }

  letGo(worker: number): void {
    clearInterval(this.#kept.get(worker)?.timer)
    this.#kept.delete(worker)
  }

  /** Renews every lease now. @returns what is kept */
  renewAll(): readonly KeptWorker[] {
    const now = performance.now()
    return [...this.#kept].map(([worker, { leaseMs, renewedAt }]) => {
      void this.#renew(worker)
      return { worker, leaseMs, renewedMsAgo: now - renewedAt }
    })
  }

  /** The process ends. */
  async close(): Promise<void> {
    this.#stop()
    try {
      if (this.#process !== undefined) await this.#session?.run(statements.deleteProcesses, [[this.#process]])
      await this.#session?.close()
    } catch {
      // The others see that the session ended.
    }
  }

  /** Another session shows the process from now on. */
  async leave(): Promise<void> {
    this.#stop()
    await this.#session?.close()
  }

  #stop(): void {
    this.#isOver = true
    clearTimeout(this.#comingBack)
    for (const worker of this.#kept.keys()) this.letGo(worker)
  }

  async #connect(): Promise<void> {
    const { url, schema } = this.#place
    const opened = await Session.open(parseAddress(url, schema), 'presence', {
      settings: { synchronous_commit: 'off' },
    })
    const isNew = await this.#show(opened)
    // It was closed meanwhile: nothing may be left open.
    if (this.#isOver) return opened.close()
    // Whoever asked for it tries again.
    if (opened.isOver) throw new Error('the connection ended')
    opened.unref()
    opened.onEnd = () => {
      this.#session = undefined
      if (!this.#isOver) void this.#reconnect(RECONNECT_MS)
    }
    this.#session = opened
    if (isNew || !this.#isShown) this.#say({ process: this.#process ?? 0 })
    this.#isShown = true
  }

  /**
   * Shows the process, after its connection was lost under its old number unless it was taken for dead meanwhile.
   * @returns whether it has a new number
   */
  async #show(opened: Session): Promise<boolean> {
    const known = this.#process
    if (known !== undefined) {
      await opened.run(statements.lockProcess, [known])
      if ((await opened.run(statements.findProcess, [known])).length > 0) return false
    }
    this.#process = await register(opened, Date.now())
    return true
  }

  async #reconnect(delayMs: number): Promise<void> {
    try {
      await this.#connect()
      // Who was ended meanwhile learns it now, and not at the next renewal.
      for (const [worker, kept] of this.#kept) {
        this.#renewRegularly(worker, kept)
        void this.#renew(worker)
      }
    } catch {
      if (this.#isOver) return
      const later = Math.min(delayMs * 2, RECONNECT_MS_MAX)
      this.#comingBack = setTimeout(() => void this.#reconnect(later), delayMs)
      this.#comingBack.unref()
    }
  }

  #renewRegularly(worker: number, kept: Kept): void {
    if (kept.timer !== undefined) return
    kept.timer = setInterval(() => void this.#renew(worker), kept.leaseMs / RENEWALS_PER_LEASE)
    kept.timer.unref()
  }

  async #renew(worker: number): Promise<void> {
    const kept = this.#kept.get(worker)
    if (kept === undefined) return
    const askedAt = performance.now()
    let cause = 'the database cannot be reached'
    try {
      if (this.#session !== undefined) {
        const [rows = []] = await this.#session.pipeline([call(statements.renewLeases, [worker], null)])
        if (rows.length === 0) return this.#lose(worker, 'its lease lapsed')
        kept.renewedAt = askedAt
        return
      }
    } catch (error) {
      cause = (error as Error).message
    }
    // A worker that cannot renew stops itself before others take its jobs: the next try would come too late for that.
    const everyMs = kept.leaseMs / RENEWALS_PER_LEASE
    if (performance.now() - kept.renewedAt + everyMs >= kept.leaseMs)
      this.#lose(worker, `its lease could not be renewed: ${cause}`)
  }

  #lose(worker: number, reason: string): void {
    // It was let go meanwhile.
    if (!this.#kept.has(worker)) return
    this.letGo(worker)
    this.#say({ lost: worker, reason })
  }
}
