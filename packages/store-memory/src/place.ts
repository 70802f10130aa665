import { randomUUID } from 'node:crypto'
import type {
  Attempt,
  Bucket,
  Clock,
  DeploymentState,
  Ending,
  EndState,
  EventKind,
  HintCollector,
  JobEvent,
  JobId,
  Json,
  LaneWants,
  NewJob,
  Payload,
  Progress,
  Rate,
  RecordedError,
  RecordedStep,
  ScheduleRecord,
  WorkerId,
  WorkerInfo,
} from '@headrace/engine'

/** What can still change of a job that has not ended. */
export type Live = {
  state: 'held' | 'scheduled' | 'blocked' | 'following' | 'parked' | 'ready' | 'running'
  dueAt: number
  /** Its place among those of its priority. */
  rank: number
  /** The limit that holds for it. */
  readonly limitKey: string | undefined
  /** It holds one of its limit's permits. */
  hasPermit: boolean
  /** The result that it asks the cache for. */
  cacheKey: string | undefined
  failures: number
  lapses: number
  /** It said that it does something itself, though it may have steps that wait. */
  isBusy: boolean
  worker: WorkerId | undefined
  startedAt: number | undefined
  cancel: { readonly at: number; readonly reason: string } | undefined
  /** How it is to end once it has cleaned up. */
  ending: Ending | undefined
  /** A step was begun that is to be undone. */
  compensates: boolean
  /** The one that it belongs to, while that goes on. */
  session: Session | undefined
}

export type End = {
  readonly state: EndState
  readonly result?: Payload
  readonly error?: RecordedError
  readonly worker: WorkerId | undefined
  readonly startedAt: number | undefined
  readonly endedAt: number
  /** The job whose result it is. */
  readonly cachedFrom: StoredJob | undefined
}

/** The step that a job is a child of. */
export type Parent = {
  readonly job: StoredJob
  readonly step: StoredStep
  readonly item: number
  /** Whether it is cancelled when its workflow ends before it. */
  readonly isAttached: boolean
}

export type StoredJob = {
  /** The place in the order of coming, from 1. */
  readonly seq: number
  readonly job: NewJob
  readonly lane: LaneWants
  readonly createdAt: number
  readonly parent: Parent | undefined
  readonly steps: Map<number, StoredStep>
  readonly attempts: Attempt[]
  readonly signals: KeptSignal[]
  attempt: number
  /** Of one that took over steps: the job whose lots its code draws again. */
  seed: JobId | undefined
  live: Live | undefined
  end: End | undefined
  progress: Progress | undefined
  /** It was removed; steps that it is a child of may still be there. */
  isRemoved: boolean
}

/** What the steps of a session share. */
export type Session = {
  /** Whoever claimed the first of its jobs. */
  worker: WorkerId | undefined
  /** How what is added to it ends: it is over, or its worker was lost. */
  end: { readonly to: 'failed' | 'cancelled'; readonly error: RecordedError } | undefined
}

/** A signal that was sent to a workflow, in the order of coming. */
export type KeptSignal = {
  readonly name: string
  readonly value: Payload
  readonly key: string | undefined
  isConsumed: boolean
}

export type StoredStep = {
  recorded: Omit<RecordedStep, 'children'>
  readonly children: StoredJob[]
  /** Children of a group that have not ended. */
  remaining: number
  isReleased: boolean
  /** The child whose failure ended a group of policy `fail`. */
  endedBy: StoredJob | undefined
  /** Of a step that begins one. */
  readonly session?: Session
}

export type StoredWorker = WorkerInfo & {
  readonly process: Process
  readonly startedAt: number
  leaseUntil: number
  /** By queue: what a large job there has waited for too long. */
  readonly starving: Map<string, Starving>
}

/** The resources that a job in line has waited for too long. */
export type Starving = { readonly lacks: readonly string[]; readonly at: number }

/** What a queue is set to. */
export type QueueSettings = {
  readonly paused: boolean
  readonly fair: boolean
  readonly rate: Rate | undefined
  readonly bucket: Bucket
  /** How far a fair queue is: the greatest rank that was claimed. */
  readonly vtime: number
  readonly shares: ReadonlyMap<string, { readonly weight: number; readonly vtime: number }>
}

/** The result of a key: `pending` while `leader` is at it, `done` once it has one. */
export type CacheEntry = {
  readonly leader: StoredJob
  readonly task: string
  readonly state: 'pending' | 'done'
  readonly expiresAt: number
}

/** One opening of the store. Whether it has died without a word is known to whoever opened it. */
export type Process = { readonly isDead: () => boolean }

/** What several stores share, as several processes share a file. It lives as long as somebody holds it. */
export class MemoryPlace {
  readonly identity = `memory ${randomUUID()}`
  /** By `seq - 1`; undefined where a job was removed. */
  readonly jobs: (StoredJob | undefined)[] = []
  readonly byId = new Map<JobId, StoredJob>()
  readonly live = new Set<StoredJob>()
  /** By `cursor - 1`; undefined where the job of an event was removed. */
  readonly events: (JobEvent | undefined)[] = []
  readonly idempotency = new Map<string, { readonly fingerprint: string; readonly id: JobId }>()
  /** Those that have neither said goodbye nor been lost. */
  readonly workers = new Map<WorkerId, StoredWorker>()
  readonly processes = new Set<Process>()
  /** JSON text by namespace and key. */
  readonly settings = new Map<string, Map<string, string>>()
  /** What the newest job of each limit said, while a job of it lives. */
  readonly limits = new Map<string, number>()
  readonly queues = new Map<string, QueueSettings>()
  readonly deployments = new Map<string, { readonly state: DeploymentState; readonly changedAt: number }>()
  readonly cache = new Map<string, CacheEntry>()
  readonly schedules = new Map<string, ScheduleRecord>()
}

/** What every operation needs. */
export type Context = {
  readonly place: MemoryPlace
  readonly clock: Clock
  readonly hints: HintCollector
}

export function addEvent(
  { place, hints }: Context,
  { job }: StoredJob,
  kind: EventKind,
  attempt: number,
  at: number,
  data: { readonly [key: string]: Json | undefined } = {},
): void {
  const cursor = place.events.length + 1
  // Through JSON, as a store on a disk would have it: what is undefined is left out.
  place.events.push({ cursor, jobId: job.id, kind, attempt, at, data: JSON.parse(JSON.stringify(data)) })
  hints.events()
}

/** Jobs that were not removed, in the order of coming. */
export function keptJobs({ jobs }: MemoryPlace): StoredJob[] {
  return jobs.filter((job) => job !== undefined)
}

/** Jobs that have not ended, in the order of coming. */
export function liveJobs(place: MemoryPlace): (StoredJob & { live: Live })[] {
  // A job in `live` has its live part until it is taken out of it.
  return [...place.live] as (StoredJob & { live: Live })[]
}
