import type { Clock } from '../clock/clock.ts'
import type { ArtifactPlace } from '../collection/artifact-place.ts'
import { type Collected, Collection } from '../collection/collection.ts'
import { type ArtifactPass, CollectionTurns } from '../collection/collection-turns.ts'
import { PruneInterruptedError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Pruned, PruneRequest, Store } from '../store/store.ts'
import { checkPageLimit } from '../task/check-options.ts'
import { DEFAULT_RETENTION, pruneHorizon, type RetentionPolicy, readRetention } from './policy.ts'
import { rowsAfter, STEP, STEP_MAX } from './step-size.ts'

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
  readonly artifactPass?: ArtifactPass
}

export type PruneStep = Pruned & {
  /** With the last step, where this program has a place of artifacts to collect in. */
  readonly artifacts?: Collected
  /** Nothing could be done yet: a transaction is open that was when the pass over the artifacts began. */
  readonly isWaiting?: true
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

/** The step after which artifacts are looked at; then with the number of the pass over them. */
const ARTIFACTS = 'artifacts'
/** Rows that a step by hand reads of the names of artifacts. */
const ARTIFACT_ROWS = 20_000
/** Before a step by hand answers that there is nothing to go on with yet. */
const WAIT_MS = 500

/** How long ended jobs are kept, and artifacts that nothing names, and their going. */
export class RetentionBook {
  readonly #store: Store
  readonly #clock: Clock
  readonly #artifacts: ArtifactPlace | undefined
  readonly #turns: CollectionTurns | undefined
  readonly #random: () => number
  #rows = STEP
  /** The pass over the artifacts that somebody makes by hand; what it has marked is in this process. */
  #byHand: Collection | undefined

  constructor(store: Store, artifacts: ArtifactPlace | undefined, random: () => number) {
    this.#store = store
    this.#clock = store.clock
    this.#artifacts = artifacts
    this.#turns = artifacts && new CollectionTurns(store, artifacts)
    this.#random = random
  }

  async status(): Promise<RetentionStatus> {
    const policy = await this.#policy()
    const [pass, artifactPass] = [await this.#pass(), await this.#turns?.pass()]
    return {
      policy: { ...DEFAULT_RETENTION, ...policy },
      isDefault: policy === undefined,
      ...(pass !== undefined && { pass }),
      ...(artifactPass !== undefined && { artifactPass }),
    }
  }

  /** For all who share the store, from the next pass on. @throws {OptionInvalidError}; nothing was changed */
  async set(policy: RetentionPolicy): Promise<void> {
    readRetention(policy)
    await this.#store.settings.put(NAMESPACE, POLICY, policy as Json)
  }

  /**
   * One bounded step, of jobs and then of artifacts; go on `after` its `next`.
   * @throws {OptionInvalidError} {PruneInterruptedError}
   */
  async prune({ olderThanMs, limit = STEP_MAX, after, dryRun }: PruneOptions = {}): Promise<PruneStep> {
    checkPageLimit('limit', limit)
    if (after?.startsWith(ARTIFACTS)) return this.#collectByHand(after, dryRun === true)
    const policy =
      olderThanMs === undefined
        ? ((await this.#policy()) ?? DEFAULT_RETENTION)
        : { keep: { succeeded: olderThanMs, failed: olderThanMs, cancelled: olderThanMs } }
    const step = await this.#step({ limit, ...(after !== undefined && { after }), ...(dryRun && { dryRun }) }, policy)
    return step.next === undefined && this.#artifacts !== undefined ? { ...step, next: ARTIFACTS } : step
  }

  /**
   * A worker's turn at the artifacts that nothing names.
   * @returns when to come again
   */
  async collectTurn(worker: string): Promise<number> {
    const keepMs = await this.#keepArtifactsMs()
    if (this.#turns === undefined || keepMs === null) return this.#clock.now() + LOOK_EVERY_MS
    return this.#turns.take(worker, keepMs)
  }

  async #collectByHand(after: string, dryRun: boolean): Promise<PruneStep> {
    const keepMs = await this.#keepArtifactsMs()
    if (this.#artifacts === undefined || keepMs === null) return { jobs: 0 }
    const collection = after === ARTIFACTS ? await this.#begin(this.#artifacts, keepMs, dryRun) : this.#byHand
    const next = `${ARTIFACTS}.${collection?.id}`
    if (collection === undefined || (after !== ARTIFACTS && after !== next)) throw new PruneInterruptedError()
    const outcome = await collection.step(ARTIFACT_ROWS)
    if (outcome === 'waiting') await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, WAIT_MS))
    if (outcome === 'waiting') return { jobs: 0, next, isWaiting: true }
    if (outcome === 'more') return { jobs: 0, next }
    if (this.#byHand === collection) this.#byHand = undefined
    return { jobs: 0, artifacts: collection.collected }
  }

  async #begin(artifacts: ArtifactPlace, keepMs: number, dryRun: boolean): Promise<Collection> {
    await this.#byHand?.close()
    const id = this.#random().toString(36).slice(2)
    this.#byHand = new Collection({ store: this.#store, artifacts, keepMs, id, dryRun })
    return this.#byHand
  }

  async #keepArtifactsMs(): Promise<number | null> {
    return readRetention((await this.#policy()) ?? DEFAULT_RETENTION).artifacts
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
