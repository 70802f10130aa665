import {
  type Claimed,
  type Commit,
  chooseFitting,
  type Ending,
  type JobId,
  LaneChoice,
  type Room,
  type Starving,
  type WorkerTraits,
} from '@headrace/engine'
import type { Lane } from './lanes.ts'
import type { Context } from './prepared.ts'
import { settleClaim, slotsAllowed } from './queue-settings.ts'

/** A worker as this process's store knows it. */
export class KnownWorker {
  /** The store's own number for it; negative for whoever was never added here, and so holds nothing. */
  readonly number: number
  readonly deployment: string
  readonly #lanes: LaneChoice<Lane>
  /** By queue: a large job there has waited for too long for some resources. */
  readonly starving = new Map<string, Starving>()
  /** It was given sessions, and may have them still: jobs may wait that nobody else takes. */
  hasSessions = false

  constructor(number: number, traits: WorkerTraits) {
    this.number = number
    this.deployment = traits.deployment ?? ''
    this.#lanes = new LaneChoice(traits)
  }

  /** Which of a queue's lanes it may take jobs of. */
  lanesOf(queue: string, from: readonly Lane[]): readonly Lane[] {
    return this.#lanes.of(queue, from)
  }
}

type ReadyRow = {
  readonly seq: number
  readonly attempt: number
  readonly failures: number
  readonly priority: number
  readonly rank: number
  readonly lane: number
  readonly id: JobId
  readonly task: string
  readonly kind: Claimed['kind']
  readonly input: string
  readonly created_at: number
  readonly owner: string | null
  readonly deadline_at: number | null
  readonly ending: string | null
  readonly seed: JobId | null
  /** It is the first of this session to be claimed. */
  readonly unplaced_session: number | null
}

/** Takes the most urgent jobs of its lanes in this queue, at most so many. */
export function claimFromQueue(
  context: Context,
  batch: Commit,
  worker: KnownWorker,
  { queue, slots }: Commit['claim'][number],
  room: Room | undefined,
): Claimed[] {
  const { sql, clock, hints, lanes, events } = context
  const allowed = slotsAllowed(context, queue, slots)
  const ready = allowed === 0 ? [] : readyJobs(context, worker, { queue, slots: allowed }, room)
  settleClaim(context, queue, ready)
  if (ready.length === 0) return []
  const now = clock.now()
  const seqs = JSON.stringify(ready.map(({ seq }) => seq))
  const first = events.cursors(ready.length)
  sql.run('markClaimed', worker.number, now, first, seqs)
  placeSessions(context, worker, ready)
  for (const [index, { seq, attempt }] of ready.entries())
    events.list(first + index, seq, { kind: 'started', attempt: attempt + 1, at: now, worker: worker.number })
  hints.events()
  return ready.map((row) => toClaimed(row, lanes.get(row.lane), batch))
}

/** The rest of each of these sessions goes to the same worker. */
function placeSessions({ sql }: Context, worker: KnownWorker, ready: readonly ReadyRow[]): void {
  for (const { unplaced_session: session } of ready) {
    if (session === null) continue
    worker.hasSessions = true
    sql.run('placeSession', worker.number, session)
    sql.run('pinSession', worker.number, session)
  }
}

type Head = { readonly seq: number; readonly priority: number; readonly rank: number }

/** The most urgent jobs of all lanes that the worker may take. */
function readyJobs(
  { sql, lanes, clock }: Context,
  worker: KnownWorker,
  { queue, slots }: Commit['claim'][number],
  room: Room | undefined,
): ReadyRow[] {
  const own = worker.lanesOf(queue, lanes.ofQueue(queue))
  const isPlain = room === undefined || own.every(({ amounts }) => amounts === undefined)
  const [only] = own
  if (only === undefined) return []
  const pinned = worker.hasSessions ? pinnedHeads(sql, worker, own, { queue, slots }) : []
  if (own.length === 1 && isPlain && pinned.length === 0) return sql.all<ReadyRow>('readyJobs', only.id, slots)
  const free = own.flatMap((lane) => sql.all<Head>('readyHeads', lane.id, slots).map((head) => ({ ...head, lane })))
  const heads = [...free, ...pinned].sort(byUrgency)
  const chosen = isPlain
    ? heads.slice(0, slots)
    : chooseFitting(heads, slots, room, {
        queue,
        starving: worker.starving,
        now: clock.now(),
        dueAt: (seq) => sql.get<{ due_at: number }>('dueOf', seq)?.due_at ?? 0,
      })
  if (chosen.length === 0) return []
  return sql.all<ReadyRow>('chosenJobs', JSON.stringify(chosen.map(({ seq }) => seq)))
}

/** What only this worker may take, and can. */
function pinnedHeads(
  sql: Context['sql'],
  worker: KnownWorker,
  own: readonly Lane[],
  { queue, slots }: Commit['claim'][number],
): (Head & { readonly lane: Lane })[] {
  worker.hasSessions = sql.get('sessionsOfWorker', worker.number) !== undefined
  if (!worker.hasSessions) return []
  const lanes = new Map(own.map((lane) => [lane.id, lane]))
  const heads = sql.all<Head & { readonly lane: number }>('pinnedHeads', worker.number, queue, slots)
  return heads.flatMap((head) => {
    const lane = lanes.get(head.lane)
    return lane === undefined ? [] : { ...head, lane }
  })
}

function byUrgency(a: Head, b: Head): number {
  return b.priority - a.priority || a.rank - b.rank || a.seq - b.seq
}

function toClaimed(row: ReadyRow, { queue, deployment, needs }: Lane, batch: Commit): Claimed {
  return {
    lease: { jobId: row.id, attempt: row.attempt + 1, worker: batch.worker, row: row.seq },
    task: row.task,
    kind: row.kind,
    queue,
    priority: row.priority,
    input: row.input,
    createdAt: row.created_at,
    failures: row.failures,
    ...(deployment !== '' && { deployment }),
    ...(needs !== undefined && { needs }),
    ...(row.owner !== null && { owner: row.owner }),
    ...(row.seed !== null && { seed: row.seed }),
    // Of one that only cleans up no deadline is left to keep.
    ...(row.ending !== null && { ending: JSON.parse(row.ending) as Ending }),
    ...(row.deadline_at !== null && row.ending === null && { deadlineAt: row.deadline_at }),
  }
}
