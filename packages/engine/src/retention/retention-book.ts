import type { Clock } from '../clock/clock.ts'
import type { Json } from '../json.ts'
import type { Pruned, PruneRequest, Store } from '../store/store.ts'
import { checkPageLimit } from '../task/check-options.ts'
import { DEFAULT_RETENTION, pruneHorizon, type RetentionPolicy, readRetention } from './policy.ts'

const NAMESPACE = 'headrace'
const POLICY = 'retention'
const PASS = 'retention-pass'

/** Between two passes over the history. */
const PASS_EVERY_MS = 3_600_000
/** Whoever makes a pass says so with each step; after so long without a word, another one goes on with it. */
const PASS_SILENT_MS = 30_000
/** How often somebody with nothing to do looks. */
const LOOK_EVERY_MS = 60_000
/** Rows that a worker's turn looks at. */
const TURN = 1_000
/** Rows that one step of a turn looks at: at first, and at least and at most. */
const STEP = 100
const STEP_MIN = 25
const STEP_MAX = TURN
/** Others wait for a step, so that one that takes longer is followed by a smaller one. */
const STEP_MS = 20

/** How far the present pass has come, or what the last one did. */
export type RetentionPass = {
  readonly startedAt: number
  /** Of the last step. */
  readonly at: number
  readonly by: string
  readonly prunedJobs: number
  readonly endedAt?: number
  readonly next?: string
}

export type RetentionStatus = {
  readonly policy: RetentionPolicy
  /** Nobody has set another one. */
  readonly isDefault: boolean
  readonly pass?: RetentionPass
}

export type PruneOptions = {
  /** Jobs that ended before so many milliseconds ago go, however they ended. Default: by the policy. */
  readonly olderThanMs?: number
  /** Rows to look at. Default 1,000. */
  readonly limit?: number
  /** The `next` of the step before. */
  readonly after?: string
  /** Nothing is removed; what would be is counted. */
  readonly dryRun?: boolean
}

/** How long ended jobs are kept, and their going. */
export class RetentionBook {
  readonly #store: Store
  readonly #clock: Clock
  #rows = STEP

  constructor(store: Store) {
    this.#store = store
    this.#clock = store.clock
  }

  async status(): Promise<RetentionStatus> {
    const policy = await this.#policy()
    const pass = await this.#pass()
    return {
      policy: policy ?? DEFAULT_RETENTION,
      isDefault: policy === undefined,
      ...(pass !== undefined && { pass }),
    }
  }

  /** For all who share the store, from the next pass on. @throws {OptionInvalidError}; nothing was changed */
  async set(policy: RetentionPolicy): Promise<void> {
    readRetention(policy)
    await this.#store.settings.put(NAMESPACE, POLICY, policy as Json)
  }

  /** One bounded step; go on `after` its `next`. @throws {OptionInvalidError} */
  async prune({ olderThanMs, limit = STEP_MAX, after, dryRun }: PruneOptions = {}): Promise<Pruned> {
    checkPageLimit('limit', limit)
    const policy =
      olderThanMs === undefined
        ? ((await this.#policy()) ?? DEFAULT_RETENTION)
        : { keep: { succeeded: olderThanMs, failed: olderThanMs, cancelled: olderThanMs } }
    return this.#step({ limit, ...(after !== undefined && { after }), ...(dryRun && { dryRun }) }, policy)
  }

  /**
   * A worker's turn: some steps of the pass that is due, if nobody else makes it.
   * @returns when to come again
   */
  async takeTurn(worker: string): Promise<number> {
    const now = this.#clock.now()
    const pass = await this.#pass()
    if (pass?.endedAt !== undefined && now - pass.endedAt < PASS_EVERY_MS) return now + LOOK_EVERY_MS
    const underWay = pass?.endedAt === undefined ? pass : undefined
    const isAnothers = underWay !== undefined && underWay.by !== worker
    if (isAnothers && now - underWay.at < PASS_SILENT_MS) return now + PASS_SILENT_MS
    const before = underWay ?? { startedAt: now, prunedJobs: 0, next: undefined }
    const policy = (await this.#policy()) ?? DEFAULT_RETENTION
    const { jobs, next } = await this.#someSteps(before.next, policy)
    const record: RetentionPass = {
      startedAt: before.startedAt,
      at: now,
      by: worker,
      prunedJobs: before.prunedJobs + jobs,
      ...(next === undefined ? { endedAt: this.#clock.now() } : { next }),
    }
    await this.#store.settings.put(NAMESPACE, PASS, record)
    return next === undefined ? now + LOOK_EVERY_MS : now
  }

  /** As many rows as a turn looks at, in steps after each of which others have the store. */
  async #someSteps(from: string | undefined, policy: RetentionPolicy): Promise<Pruned> {
    let [jobs, next] = [0, from]
    for (let rows = 0; rows < TURN; ) {
      const limit = Math.min(this.#rows, TURN - rows)
      const begunAt = this.#clock.now()
      const step = await this.#step({ limit, ...(next !== undefined && { after: next }) }, policy)
      this.#rows = rowsAfter(this.#rows, this.#clock.now() - begunAt)
      rows += limit
      jobs += step.jobs
      next = step.next
      if (next === undefined) break
    }
    return next === undefined ? { jobs } : { jobs, next }
  }

  async #step(request: Omit<PruneRequest, 'retention'>, policy: RetentionPolicy): Promise<Pruned> {
    const retention = readRetention(policy)
    if (pruneHorizon(retention, this.#clock.now()) === undefined) return { jobs: 0 }
    return this.#store.prune({ ...request, retention })
  }

  async #policy(): Promise<RetentionPolicy | undefined> {
    // It was checked when it was set.
    return (await this.#store.settings.get(NAMESPACE, POLICY)) as RetentionPolicy | undefined
  }

  async #pass(): Promise<RetentionPass | undefined> {
    return (await this.#store.settings.get(NAMESPACE, PASS)) as RetentionPass | undefined
  }
}

/** How many rows the next step looks at, when so many took so long. */
export function rowsAfter(rows: number, tookMs: number): number {
  return tookMs > STEP_MS ? Math.max(STEP_MIN, Math.floor(rows / 2)) : Math.min(STEP_MAX, rows * 2)
}
