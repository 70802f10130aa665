import type { JobId } from '../../job/job.ts'
import type { Advance, CancelOutcome, Commit, CommitResult, Lease, Release } from '../../store/store.ts'
import type { Effect } from '../history/store-history.ts'
import type { SimulatedProcess } from './world.ts'

/** What an all-seeing observer notes down while the simulation runs, and what it finds wrong on the spot. */
export class Ledger {
  readonly violations: string[] = []
  /** Ids that submitters were given. */
  readonly accepted: { readonly id: JobId; readonly key: string }[] = []
  readonly effects: Effect[] = []
  readonly released: Release[] = []
  /** Jobs that were claimed at least once: whom to cancel at random. */
  readonly seen: JobId[] = []
  /** Cancels that took effect, with the newest cursor at that moment. */
  readonly cancels: { readonly id: JobId; readonly cursor: Promise<number> }[] = []
  readonly counts = { commits: 0, claims: 0, steps: 0, stepRuns: 0, leaseLost: 0 }
  /** The store's own numbers of claimed jobs. */
  readonly rows = new Map<JobId, number>()
  /** How many children of a map may be due at once, by workflow and step. */
  readonly concurrency = new Map<string, number>()
  readonly #throws = new Map<JobId, number>()
  readonly #holder = new Map<JobId, SimulatedProcess>()
  /** Jobs with the processes that have held them, and those that have done so more than once. */
  readonly #heldBy = new Set<string>()
  readonly #isHeldAgain = new Set<string>()
  /** The newest attempt of each job. */
  readonly #attempts = new Map<JobId, number>()
  readonly #recorded = new Set<string>()

  violation(text: string): void {
    this.violations.push(text)
  }

  throwsSoFar(id: JobId): number {
    return this.#throws.get(id) ?? 0
  }

  threw(id: JobId): void {
    this.#throws.set(id, this.throwsSoFar(id) + 1)
  }

  /** A step's function begins. */
  runsStep(process: SimulatedProcess, id: JobId, name: string): void {
    this.counts.stepRuns++
    // A process that was frozen while another one took over cannot know it, even where it holds the job anew by now; what it
    // does is not recorded.
    if (this.#holder.get(id) !== process || this.#isHeldAgain.has(`${id} ${process.name}`)) return
    if (this.#recorded.has(`${id} ${name}`))
      this.violation(`recorded-step-stays: job ${id}: step ${name} ran again after it was recorded`)
  }

  cancelled(id: JobId, outcome: CancelOutcome, cursor: Promise<number>): void {
    if (outcome === 'cancelled' || outcome === 'cancelling') this.cancels.push({ id, cursor })
  }

  committed(process: SimulatedProcess, batch: Commit, result: CommitResult): void {
    this.counts.commits++
    this.#checkFence(batch, result)
    for (const { lease } of result.claimed) {
      if (lease.attempt <= (this.#attempts.get(lease.jobId) ?? 0))
        this.violation(`one-owner: job ${lease.jobId}: attempt ${lease.attempt} was given out twice`)
      this.#attempts.set(lease.jobId, lease.attempt)
      this.counts.claims++
      if (lease.attempt === 1) this.seen.push(lease.jobId)
      if (this.#heldBy.has(`${lease.jobId} ${process.name}`)) this.#isHeldAgain.add(`${lease.jobId} ${process.name}`)
      this.#heldBy.add(`${lease.jobId} ${process.name}`)
      this.#holder.set(lease.jobId, process)
      this.rows.set(lease.jobId, lease.row)
    }
    for (const [index, advance] of batch.advance.entries()) {
      if (result.advanced[index] === 'recorded') this.#record(advance)
    }
    for (const outcome of result.settled) if (outcome === 'lease_lost') this.counts.leaseLost++
    this.released.push(...result.released)
  }

  /** Nothing is accepted from an attempt that another one has followed. */
  #checkFence(batch: Commit, result: CommitResult): void {
    const isLate = ({ jobId, attempt }: Lease) => attempt !== this.#attempts.get(jobId)
    for (const [index, { lease, outcome }] of batch.settle.entries()) {
      if (result.settled[index] === 'lease_lost' || !isLate(lease)) continue
      this.violation(
        `late-worker-changes-nothing: job ${lease.jobId}: attempt ${lease.attempt} was settled as ${outcome} after another one had begun`,
      )
    }
    for (const [index, { lease }] of batch.advance.entries()) {
      if (result.advanced[index] !== 'recorded' || !isLate(lease)) continue
      this.violation(
        `late-worker-changes-nothing: job ${lease.jobId}: attempt ${lease.attempt} recorded a step after another one had begun`,
      )
    }
  }

  #record({ lease, steps }: Advance): void {
    for (const { kind, name, step, concurrency, value, error } of steps) {
      // One that is to be undone is stored when it begins, too.
      if (kind === 'step' && (value !== undefined || error !== undefined)) this.#recorded.add(`${lease.jobId} ${name}`)
      if (concurrency !== undefined) this.concurrency.set(`${lease.jobId} ${step}`, concurrency)
    }
    this.counts.steps += steps.length
  }
}
