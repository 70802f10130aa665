import type { Clock, Timer } from '../clock/clock.ts'
import type { JobId, WorkerId } from '../job/job.ts'
import type {
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
import { failedInstead, isOutage, refusalReports } from './refusal.ts'
import { type Advancing, isNothing, joined, nothing, type Said, type Settling, takeOne, withdraw } from './said.ts'
import type { Slots } from './slots.ts'
import { Urgency } from './urgency.ts'

/** Progress and logs wait so long for company; whatever else is committed takes them along. */
const TELL_WITHIN_MS = 50
/** More than this untold, and whoever tells much has to wait. */
const TELL_MAX = 5_000
const RETRY_MS = 100
/**
 * A commit that was given up may be heard after those that came later, and claim jobs of which nobody here knows: so the
 * worker says from time to time what it knows to hold, though all seems well.
 */
const HOLDS_EVERY_MS = 10_000
const RETRY_MS_MAX = 5_000

export type OutboxEvents = {
  claimed(jobs: readonly Claimed[]): void
  /** Steps that this very commit released, with the results that it stored, by job. */
  released(releases: readonly Release[], results: ReadonlyMap<JobId, Payload>): void
  /** The store failed; everything is kept and tried again. */
  failed(error: unknown, retryMs: number): void
  /** The store is well and refused something for good; the message says what, and what becomes of it. */
  refused(message: string, error: unknown): void
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
  /** What waits for the next commit. */
  #said = nothing()
  /** Attempts of which not even the failure could be recorded: the store holds them for this worker all the same. */
  readonly #leftToLease: Lease[] = []
  /** Queues that may hold due work. */
  readonly #promising = new Set<string>()
  readonly #urgency = new Urgency()
  #isClaiming = true
  #isCommitting = false
  /** The last commit failed, and may yet have been heard: then it holds jobs under this worker's name. */
  #isUnsure = false
  #heldSaidAt: number
  #isScheduled = false
  #tellTimer: Timer | undefined
  #retryMs = RETRY_MS
  #isClosed = false

  constructor(options: { store: Store; clock: Clock; worker: WorkerId; slots: Slots; events: OutboxEvents }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#heldSaidAt = options.clock.now()
    this.#worker = options.worker
    this.#slots = options.slots
    this.#events = options.events
  }

  settle(settlement: Settlement): Promise<CommitResult['settled'][number]> {
    return new Promise((resolve) => {
      this.#said.settle.push({ what: settlement, resolve })
      this.#schedule()
    })
  }

  advance(lease: Lease, steps: readonly NewStep[]): Promise<CommitResult['advanced'][number]> {
    return new Promise((resolve) => {
      this.#said.advance.push({ what: { lease, steps }, resolve })
      this.#schedule()
    })
  }

  tell(told: Told): void {
    this.#said.tell.push(told)
    const send = () => {
      this.#tellTimer = undefined
      this.#schedule()
    }
    this.#tellTimer ??= this.#clock.setTimeout(send, TELL_WITHIN_MS, { background: true })
  }

  /** Resolves when there is room for more to tell. */
  async drained(): Promise<void> {
    while (this.#said.tell.length > TELL_MAX && !this.#isClosed) {
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
    const max = this.#urgency.batchMax(this.#clock.now())
    for (const queue of this.#promising) {
      const slots = Math.min(max, this.#slots.free(queue))
      if (slots > 0) claims.push({ queue, slots })
    }
    return claims
  }

  async #commit(): Promise<void> {
    if (this.#isClosed || this.#isCommitting) return
    const claim = this.#claims()
    if (isNothing(this.#said) && claim.length === 0 && !this.#isUnsure) return
    const said = this.#takeSaid()
    this.#tellTimer?.cancel()
    this.#tellTimer = undefined
    // What is hinted at from now on may come too late for this commit, and is looked for by the next one.
    for (const { queue } of claim) this.#promising.delete(queue)
    this.#isCommitting = true
    const isHeldDue = Math.abs(this.#clock.now() - this.#heldSaidAt) >= HOLDS_EVERY_MS
    const holds = this.#isUnsure || isHeldDue ? { holds: [...this.#events.holds(), ...this.#leftToLease] } : {}
    const free = claim.length > 0 ? this.#slots.freeAmounts : undefined
    this.#slots.lend()
    const failure = await this.#say(said, { claim, ...holds, ...(free !== undefined && { free }) })
    this.#slots.back()
    if (this.#isClosed) return
    if (failure === undefined) this.#goOn()
    else await this.#afterFailure(said, claim, failure.error)
  }

  /** What is to be said now. What attempts told and their steps go before their ends, so those never stay behind. */
  #takeSaid(): Said {
    const { settle, ...rest } = this.#said
    const [now, later] = this.#urgency.split(settle, this.#clock.now())
    this.#said = { ...nothing(), settle: later }
    return { ...rest, settle: now }
  }

  /** Commits it, and hands on the answers. @returns what the store threw instead of an answer */
  async #say(
    said: Said,
    more: Pick<Commit, 'claim' | 'free' | 'holds'>,
  ): Promise<{ readonly error: unknown } | undefined> {
    const batch: Commit = {
      worker: this.#worker,
      settle: said.settle.map(({ what }) => what),
      advance: said.advance.map(({ what }) => what),
      tell: said.tell,
      ...more,
    }
    let result: CommitResult
    try {
      result = await this.#store.commit(batch)
    } catch (error) {
      return { error }
    }
    if (this.#isClosed) return undefined
    this.#retryMs = RETRY_MS
    if (batch.holds !== undefined) {
      this.#isUnsure = false
      this.#heldSaidAt = this.#clock.now()
    }
    this.#answer(batch, result, said.settle, said.advance)
    return undefined
  }

  #goOn(): void {
    this.#isCommitting = false
    const { settle, advance, tell } = this.#said
    const isTellDue = tell.length > 0 && this.#tellTimer === undefined
    const isDue = settle.length + advance.length > 0 || isTellDue || this.#isUnsure
    if (isDue || this.#claims().length > 0) this.#schedule()
  }

  async #afterFailure(said: Said, claim: Commit['claim'], error: unknown): Promise<void> {
    this.#isUnsure = true
    for (const { queue } of claim) this.#promising.add(queue)
    if (isNothing(said) || (await this.#isOutage(error))) this.#tryAgain(said, error)
    else if (!this.#isClosed) await this.#sayOneByOne(said)
  }

  /**
   * Whether the store may take the same later. An error that it has no name of ours for may be one bad value's doing, or
   * that of a disk which takes nothing at all; in doubt it is asked to write something else.
   */
  async #isOutage(error: unknown): Promise<boolean> {
    if (isOutage(error)) return true
    try {
      await this.#store.check()
      return false
    } catch {
      // What is wrong with it was thrown by the commit already, and is reported from there.
      return true
    }
  }

  /** Something in it is refused for good, and must not take the rest with it. */
  async #sayOneByOne(said: Said): Promise<void> {
    for (let one = takeOne(said); one !== undefined; one = takeOne(said)) {
      const failure = await this.#say(one, { claim: [] })
      if (this.#isClosed) return
      if (failure === undefined) continue
      if (await this.#isOutage(failure.error)) {
        this.#tryAgain(joined(one, said), failure.error)
        return
      }
      this.#refuse(one, said, failure.error)
    }
    if (!this.#isClosed) this.#goOn()
  }

  /** @param rest what is still to be said; what is said instead goes before it */
  #refuse(one: Said, rest: Said, error: unknown): void {
    for (const told of one.tell) this.#events.refused(refusalReports.tell(told), error)
    for (const advancing of one.advance) this.#refuseAdvance(advancing, rest, error)
    for (const settling of one.settle) this.#refuseSettlement(settling, rest, error)
  }

  #refuseAdvance({ what, resolve }: Advancing, rest: Said, error: unknown): void {
    this.#events.refused(refusalReports.advance(what), error)
    // No later step may be stored without this one, and its run has nothing more to say: it ends here, as failed.
    resolve('lease_lost')
    for (const said of [rest, this.#said]) withdraw(said, what.lease)
    rest.settle.unshift({ what: failedInstead(what, error), resolve: () => {}, isInstead: true })
  }

  #refuseSettlement(settling: Settling, rest: Said, error: unknown): void {
    if (settling.isInstead) {
      this.#events.refused(refusalReports.instead(settling.what), error)
      this.#leftToLease.push(settling.what.lease)
      settling.resolve('lease_lost')
      return
    }
    this.#events.refused(refusalReports.settle(settling.what), error)
    rest.settle.unshift({ ...settling, what: failedInstead(settling.what, error), isInstead: true })
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
    if (result.claimed.length === 0) return
    this.#urgency.claimed(result.claimed, this.#clock.now())
    this.#events.claimed(result.claimed)
  }

  /** Says it all again later, in the same order and before what came up since; what was stored is not stored twice. */
  #tryAgain(said: Said, error: unknown): void {
    if (this.#isClosed) return
    this.#said = joined(said, this.#said)
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
