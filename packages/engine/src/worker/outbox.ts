import type { Clock, Timer } from '../clock/clock.ts'
import type { JobId, WorkerId } from '../job/job.ts'
import type {
  Advance,
  Claimed,
  Commit,
  CommitResult,
  Lease,
  NewStep,
  Payload,
  Release,
  Settlement,
  Store,
  Told,
} from '../store/store.ts'
import type { Slots } from './slots.ts'

type Waiting<T, R> = { readonly what: T; readonly resolve: (answer: R) => void }

type Settling = Waiting<Settlement, CommitResult['settled'][number]>
type Advancing = Waiting<Advance, CommitResult['advanced'][number]>

/** Progress and logs wait so long for company; whatever else is committed takes them along. */
const TELL_WITHIN_MS = 50
/** More than this untold, and whoever tells much has to wait. */
const TELL_MAX = 5_000
const RETRY_MS = 100
const RETRY_MS_MAX = 5_000

export type OutboxEvents = {
  claimed(jobs: readonly Claimed[]): void
  /** Steps that this very commit released, with the results that it stored, by job. */
  released(releases: readonly Release[], results: ReadonlyMap<JobId, Payload>): void
  /** The store failed; everything is kept and tried again. */
  failed(error: unknown, retryMs: number): void
  /** All attempts that the worker knows to hold. */
  holds(): readonly Lease[]
}

/**
 * All that one worker says to the store. What comes up while a commit is under way goes into the next one, together with
 * the claims for the slots that are free by then: the busier the worker, the larger the batches.
 */
export class Outbox {
  readonly #store: Store
  readonly #clock: Clock
  readonly #worker: WorkerId
  readonly #slots: Slots
  readonly #events: OutboxEvents
  #settle: Settling[] = []
  #advance: Advancing[] = []
  #tell: Told[] = []
  /** Queues that may hold due work. */
  readonly #promising = new Set<string>()
  #isClaiming = true
  #isCommitting = false
  /** The last commit failed, and may yet have been heard: then it holds jobs under this worker's name. */
  #isUnsure = false
  #isScheduled = false
  #tellTimer: Timer | undefined
  #retryMs = RETRY_MS
  #isClosed = false

  constructor(options: { store: Store; clock: Clock; worker: WorkerId; slots: Slots; events: OutboxEvents }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#worker = options.worker
    this.#slots = options.slots
    this.#events = options.events
  }

  settle(settlement: Settlement): Promise<CommitResult['settled'][number]> {
    return new Promise((resolve) => {
      this.#settle.push({ what: settlement, resolve })
      this.#schedule()
    })
  }

  advance(lease: Lease, steps: readonly NewStep[]): Promise<CommitResult['advanced'][number]> {
    return new Promise((resolve) => {
      this.#advance.push({ what: { lease, steps }, resolve })
      this.#schedule()
    })
  }

  tell(told: Told): void {
    this.#tell.push(told)
    const send = () => {
      this.#tellTimer = undefined
      this.#schedule()
    }
    this.#tellTimer ??= this.#clock.setTimeout(send, TELL_WITHIN_MS, { background: true })
  }

  /** Resolves when there is room for more to tell. */
  async drained(): Promise<void> {
    while (this.#tell.length > TELL_MAX && !this.#isClosed) {
      this.#schedule()
      await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, TELL_WITHIN_MS))
    }
  }

  /** There may be work in these queues, or in all of them. */
  look(queues: Iterable<string> = this.#slots.queues): void {
    for (const queue of queues) this.#promising.add(queue)
    this.nudge()
  }

  /** A slot was freed: claims, if there may be anything to claim. */
  nudge(): void {
    if (this.#claims().length > 0) this.#schedule()
  }

  stopClaiming(): void {
    this.#isClaiming = false
  }

  close(): void {
    this.#isClosed = true
    this.#tellTimer?.cancel()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isCommitting || this.#isClosed) return
    this.#isScheduled = true
    this.#clock.defer(() => {
      this.#isScheduled = false
      void this.#commit()
    })
  }

  #claims(): Commit['claim'] {
    if (!this.#isClaiming) return []
    const claims: { queue: string; slots: number }[] = []
    for (const queue of this.#promising) {
      const slots = this.#slots.free(queue)
      if (slots > 0) claims.push({ queue, slots })
    }
    return claims
  }

  async #commit(): Promise<void> {
    if (this.#isClosed || this.#isCommitting) return
    const [settle, advance, tell, claim] = [this.#settle, this.#advance, this.#tell, this.#claims()]
    if (settle.length + advance.length + tell.length + claim.length === 0 && !this.#isUnsure) return
    this.#settle = []
    this.#advance = []
    this.#tell = []
    this.#tellTimer?.cancel()
    this.#tellTimer = undefined
    // What is hinted at from now on may come too late for this commit, and is looked for by the next one.
    for (const { queue } of claim) this.#promising.delete(queue)
    this.#isCommitting = true
    try {
      const batch: Commit = {
        worker: this.#worker,
        settle: settle.map(({ what }) => what),
        advance: advance.map(({ what }) => what),
        tell,
        claim,
        ...(this.#isUnsure && { holds: this.#events.holds() }),
      }
      const result = await this.#store.commit(batch)
      if (this.#isClosed) return
      this.#isCommitting = this.#isUnsure = false
      this.#retryMs = RETRY_MS
      this.#answer(batch, result, settle, advance)
    } catch (error) {
      if (this.#isClosed) return
      // Say it all again, in the same order and before what came up since; what was stored after all is not stored twice.
      for (const { queue } of claim) this.#promising.add(queue)
      this.#isUnsure = true
      this.#settle = [...settle, ...this.#settle]
      this.#advance = [...advance, ...this.#advance]
      this.#tell = [...tell, ...this.#tell]
      this.#tryAgain(error)
      return
    }
    const isTellDue = this.#tell.length > 0 && this.#tellTimer === undefined
    if (this.#settle.length + this.#advance.length > 0 || isTellDue || this.#claims().length > 0) this.#schedule()
  }

  #answer(batch: Commit, result: CommitResult, settle: Settling[], advance: Advancing[]): void {
    for (const { queue, slots } of batch.claim) {
      // Fewer than asked for: the queue is empty until somebody says otherwise.
      const got = result.claimed.filter((job) => job.queue === queue).length
      if (got >= slots) this.#promising.add(queue)
    }
    for (const [index, waiting] of settle.entries()) waiting.resolve(result.settled[index] ?? 'lease_lost')
    for (const [index, waiting] of advance.entries()) waiting.resolve(result.advanced[index] ?? 'lease_lost')
    if (result.released.length > 0) this.#events.released(result.released, storedResults(batch, result))
    if (result.claimed.length > 0) this.#events.claimed(result.claimed)
  }

  #tryAgain(error: unknown): void {
    const retryMs = this.#retryMs
    this.#retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
    this.#events.failed(error, retryMs)
    this.#clock.setTimeout(() => {
      this.#isCommitting = false
      this.#schedule()
    }, retryMs)
  }
}

function storedResults(batch: Commit, result: CommitResult): ReadonlyMap<JobId, Payload> {
  const results = new Map<JobId, Payload>()
  for (const [index, settlement] of batch.settle.entries()) {
    if (settlement.outcome === 'succeeded' && result.settled[index] === 'settled') {
      results.set(settlement.lease.jobId, settlement.result)
    }
  }
  return results
}
