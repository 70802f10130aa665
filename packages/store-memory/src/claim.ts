import { type Amounts, type Claimed, type Commit, lacking, laneMatcher, minus } from '@headrace/engine'
import { byUrgency } from './limits.ts'
import { addEvent, type Context, type Live, type StoredJob, type StoredWorker } from './place.ts'
import { readyOf, settleClaim, slotsAllowed } from './queue-settings.ts'

/** A job that waits for a worker. */
type Ready = StoredJob & { live: Live }

/** What is left of what a worker offers, over the claims of one commit. */
type Room = { free: Amounts }

/** Takes the most urgent jobs that the worker may have, queue by queue. */
export function claimAll(context: Context, { worker: id, claim, free }: Commit): Claimed[] {
  // A worker that was taken for lost must not hold anything: nobody would take it away from it again.
  const worker = context.place.workers.get(id)
  if (worker === undefined || isRetired(context, worker)) return []
  const room = free && { free }
  return claim.flatMap((asked) => (asked.slots > 0 ? claimFromQueue(context, worker, asked, room) : []))
}

function isRetired({ place }: Context, { deployment = '' }: StoredWorker): boolean {
  return place.deployments.get(deployment)?.state === 'retired'
}

function claimFromQueue(
  context: Context,
  worker: StoredWorker,
  { queue, slots }: Commit['claim'][number],
  room: Room | undefined,
): Claimed[] {
  const allowed = slotsAllowed(context, queue, slots)
  const isFor = laneMatcher(worker)
  const line = readyOf(context.place, queue)
    .filter(({ lane, live }) => isFor(lane) && isFree(live, worker))
    .sort(byUrgency)
  const chosen =
    allowed === 0 || room === undefined
      ? line.slice(0, allowed)
      : chooseFitting(line, allowed, room, { queue, worker, now: context.clock.now() })
  settleClaim(context, queue, chosen)
  for (const { live } of chosen) if (live.session !== undefined) live.session.worker = worker.id
  return chosen.map((job) => begin(context, worker, job))
}

/** What belongs to a session goes to the worker that has its other jobs. */
function isFree({ session }: Live, { id }: StoredWorker): boolean {
  return session?.worker === undefined || session.worker === id
}

/** A job that has been due for so long is kept waiting no longer by smaller ones behind it. */
const STARVING_MS = 30_000
/** A queue whose slots are all taken is not looked at; then what starved in it does not count for longer than this. */
const BELIEVED_MS = 5_000

/**
 * Of the jobs in line, those that fit into what is free. One that does not fit lets smaller ones pass, but not those of its
 * own lane, and not for ever: once it has been due for long, nothing behind it, nor in another queue, takes what it lacks.
 */
function chooseFitting(
  line: readonly Ready[],
  slots: number,
  room: Room,
  { queue, worker, now }: { readonly queue: string; readonly worker: StoredWorker; readonly now: number },
): Ready[] {
  const { starving } = worker
  const reserved = new Set<string>()
  for (const [other, { lacks, at }] of starving) {
    if (other !== queue && now - at <= BELIEVED_MS) for (const name of lacks) reserved.add(name)
  }
  starving.delete(queue)
  const chosen: Ready[] = []
  const out = new Set<string>()
  for (const job of line) {
    if (chosen.length >= slots) break
    const { amounts = {} } = job.lane
    const lane = JSON.stringify(job.lane)
    if (out.has(lane)) continue
    const lacks = lacking(room.free, amounts)
    if (lacks.length === 0 && !Object.keys(amounts).some((name) => reserved.has(name))) {
      room.free = minus(room.free, amounts)
      chosen.push(job)
      continue
    }
    out.add(lane)
    if (lacks.length === 0 || now - job.live.dueAt < STARVING_MS) continue
    for (const name of lacks) reserved.add(name)
    starving.set(queue, { lacks: [...(starving.get(queue)?.lacks ?? []), ...lacks], at: now })
  }
  return chosen
}

function begin(context: Context, { id: worker }: StoredWorker, stored: Ready): Claimed {
  const { seq, job, live, lane } = stored
  const now = context.clock.now()
  const attempt = ++stored.attempt
  Object.assign(live, { state: 'running', worker, startedAt: now, isBusy: false })
  addEvent(context, stored, 'started', attempt, now, { worker })
  const { task, kind, queue, priority, input, owner, deadlineAt } = job
  return {
    lease: { jobId: job.id, attempt, worker, row: seq },
    ...{ task, kind, queue, priority, input, createdAt: stored.createdAt, failures: live.failures },
    ...(lane.deployment !== '' && { deployment: lane.deployment }),
    ...(lane.needs !== undefined && { needs: lane.needs }),
    ...(owner !== undefined && { owner }),
    ...(stored.seed !== undefined && { seed: stored.seed }),
    ...(live.ending !== undefined && { ending: live.ending }),
    ...(deadlineAt !== undefined && live.ending === undefined && { deadlineAt }),
  }
}
