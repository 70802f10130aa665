import {
  type Claimed,
  type Commit,
  type JobId,
  LaneChoice,
  type Lease,
  type Starving,
  type WorkerTraits,
} from '@headrace/engine'
import { statements } from './connection/named.ts'
import type { Call } from './connection/pipeline.ts'
import { call } from './connection/session.ts'
import type { Lane, Lanes } from './lanes.ts'

/** Fewer slots than this are asked for so seldom that the dead entries do not matter. */
const MARKED_SLOTS_MIN = 8
/** How long a low-water mark holds: what comes in before it is found this late at most. */
const MARK_MS = 1_000
const LOWEST = { urgency: -2_147_483_648, rank: -9_007_199_254_740_991, seq: 0 }

type Mark = { readonly urgency: number; readonly rank: number; readonly seq: number }

/** A worker as this process's store knows it. */
export class KnownWorker {
  /** By the number of the job: attempts that this worker runs whose claims were not waited for on the disk. */
  readonly #unflushed = new Map<number, number>()
  /** The store's own number for it; negative for whoever was never added here, and so holds nothing. */
  readonly number: number
  readonly deployment: string
  readonly #lanes: LaneChoice<Lane>
  /** By queue: a large job there has waited for too long for some resources. */
  readonly starving = new Map<string, Starving>()
  /** By lane: where the last claim began that filled all its slots. */
  readonly #marks = new Map<number, Mark>()
  #marksUntil = 0

  constructor(number: number, traits: WorkerTraits) {
    this.number = number
    this.deployment = traits.deployment ?? ''
    this.#lanes = new LaneChoice(traits)
  }

  /**
   * Leaves out what it runs already: a claim that a crash of the database forgot, and that is made again for the same
   * attempt. The database knows now what the worker knew all the while.
   */
  newOf(rows: readonly ClaimedRow[], isFlushed: boolean): readonly ClaimedRow[] {
    const fresh = rows.filter(({ seq, attempt }) => this.#unflushed.get(seq) !== attempt)
    if (!isFlushed) for (const { seq, attempt } of fresh) this.#unflushed.set(seq, attempt)
    return fresh
  }

  /** It no longer runs this attempt: if it is given the same one again, that is another run. */
  forget({ row, attempt }: Pick<Lease, 'row' | 'attempt'>): void {
    if (this.#unflushed.get(row) === attempt) this.#unflushed.delete(row)
  }

  /** Which of a queue's lanes it may take jobs of. */
  lanesOf(queue: string, from: readonly Lane[]): readonly Lane[] {
    return this.#lanes.of(queue, from)
  }

  markOf(lane: number): Mark {
    if (performance.now() > this.#marksUntil) this.#marks.clear()
    return this.#marks.get(lane) ?? LOWEST
  }

  /** A held transaction elsewhere keeps the index entries of claimed jobs; a full claim says where the living begin. */
  remember(rows: readonly ClaimedRow[], lanes: readonly Lane[], slots: number): void {
    if (rows.length < slots || slots < MARKED_SLOTS_MIN) {
      for (const { id } of lanes) this.#marks.delete(id)
      return
    }
    if (this.#marks.size === 0) this.#marksUntil = performance.now() + MARK_MS
    for (const { lane, urgency, rank, seq } of rows.toReversed()) this.#marks.set(lane, { urgency, rank, seq })
  }
}

/** Whoever commits for a worker that was never added here holds nothing. */
export const NOBODY = new KnownWorker(-1, {})

export type ClaimedRow = Mark & {
  readonly lane: number
  readonly id: JobId
  readonly attempt: number
  readonly failures: number
  readonly priority: number
  readonly task: string
  readonly queue: string
  readonly is_workflow: boolean
  readonly input: string
  readonly created_at: number
  readonly owner: string | null
  readonly deadline_at: number | null
  readonly ending: string | null
  readonly seed: JobId | null
}

/** Takes the most urgent jobs of these lanes, at most so many. */
export function claimCall(
  worker: KnownWorker,
  lanes: readonly Lane[],
  {
    slots,
    now,
    version,
    isMarked = true,
  }: {
    readonly slots: number
    readonly now: number
    /** Of the routing by which it goes; undefined: it knows better. */
    readonly version: number | undefined
    /** False: it looks from the beginning of its lanes on. */
    readonly isMarked?: boolean
  },
): Call {
  const marks = lanes.map(({ id }) => ({ id, ...(isMarked ? worker.markOf(id) : LOWEST) }))
  const [only] = marks
  if (marks.length === 1 && only !== undefined) {
    const { id, urgency, rank, seq } = only
    return call(statements.claimFromLane, worker.number, now, id, slots, urgency, rank, seq, version)
  }
  return call(
    statements.claimFromLanes,
    worker.number,
    now,
    marks.map(({ id }) => id),
    slots,
    marks.map(({ urgency }) => urgency),
    marks.map(({ rank }) => rank),
    marks.map(({ seq }) => seq),
    version,
  )
}

export function toClaimed(row: ClaimedRow, { worker }: Commit, lanes: Lanes): Claimed {
  const { deployment = '', needs } = lanes.get(row.lane) ?? {}
  return {
    lease: { jobId: row.id, attempt: row.attempt, worker, row: row.seq },
    task: row.task,
    kind: row.is_workflow ? 'workflow' : 'task',
    queue: row.queue,
    priority: row.priority,
    input: row.input,
    createdAt: row.created_at,
    failures: row.failures,
    ...(deployment !== '' && { deployment }),
    ...(needs !== undefined && { needs }),
    ...(row.ending !== null && { ending: JSON.parse(row.ending) as NonNullable<Claimed['ending']> }),
    ...(row.owner !== null && { owner: row.owner }),
    ...(row.seed !== null && { seed: row.seed }),
    ...(row.deadline_at !== null && { deadlineAt: row.deadline_at }),
  }
}
