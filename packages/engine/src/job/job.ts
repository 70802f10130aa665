import type { Branded } from '../brand.ts'
import type { Json } from '../json.ts'
import type { Resources } from '../routing/resources.ts'

/** A UUIDv7, known to the submitter before anything is stored. */
export type JobId = Branded<'JobId'>
/** One incarnation of a worker; a restarted worker has another id. */
export type WorkerId = Branded<'WorkerId'>

/** `workflow` jobs are replayed from their recorded steps; `task` jobs run from the start. */
export type JobKind = 'task' | 'workflow'

/** How a job ended. It never changes afterwards. */
export type EndState = 'succeeded' | 'failed' | 'cancelled'
export type JobState = 'waiting' | 'running' | EndState

/** An error as it is stored on the job whose attempt threw it. */
export type RecordedError = {
  /** For programs: the thrown error's own `code` if it had one, else `task_threw`. */
  readonly code: string
  readonly message: string
  readonly name?: string
  readonly stack?: string
  readonly retryable?: boolean
  /** Where it was thrown, when that is another job of the tree. */
  readonly origin?: { readonly jobId: JobId; readonly task: string }
  readonly details?: Json
}

/** Where the result of a job came from whose task has a cache. `following`: it waits for the result of that job. */
export type JobCache =
  /** `from` is left out when the job that made the result was removed. */
  { readonly hit: true; readonly from?: JobId } | { readonly hit: false; readonly following?: JobId }

export type Progress = { readonly fraction: number; readonly message?: string; readonly at: number }

/**
 * At most `max` jobs of one key run at a time, over all queues and workers. A job holds its permit from when it could
 * run until it ends, or waits for a later instant; a workflow for as long as it lives. What it calls under the same key
 * works under its permit. `max` of the newest job counts.
 */
export type JobLimit = {
  readonly key: string
  readonly max: number
  /**
   * `wait`: until a permit is free. `reject`: the job is refused while as many live, waiting or running.
   * `replace`: the oldest live ones are cancelled, as many as are in the way, and it waits for them to end.
   */
  readonly whenFull: 'wait' | 'reject' | 'replace'
}

/**
 * What a waiting job waits for. `held`: its group lets only so many go at once. `blocked`: a permit of its limit. `following`:
 * the result of another job. `scheduled`: its instant. `parked`: a workflow, for its steps. `ready`: a worker.
 */
export type WaitState = 'held' | 'blocked' | 'following' | 'scheduled' | 'parked' | 'ready'

type JobBase = {
  readonly id: JobId
  readonly task: string
  readonly kind: JobKind
  readonly queue: string
  /** Higher goes first; 0 unless asked otherwise. */
  readonly priority: number
  /** Attempts begun so far; 0 before the first claim. */
  readonly attempt: number
  readonly createdAt: number
  readonly tags: readonly string[]
  readonly owner?: string
  readonly parentId?: JobId
  /** The top of the tree that this job belongs to; its own id for a job without a parent. */
  readonly rootId: JobId
  /** The parent's step that called this job, and its place within that step's group. */
  readonly step?: number
  readonly item?: number
  /** The ended job that this one repeats. */
  readonly retryOf?: JobId
  readonly deadlineAt?: number
  /** The stack that it belongs to: only workers of the same one take it. */
  readonly deployment?: string
  /** Its worker has all of these. */
  readonly labels?: readonly string[]
  readonly needs?: Resources
  readonly limit?: JobLimit
  /** Of a job whose task has a cache, unless it was to do without. */
  readonly cache?: JobCache
  readonly progress?: Progress
}

/** A job is in exactly one state, and a field exists only in the states where it means something. */
export type Job = JobBase &
  (
    | {
        readonly state: 'waiting'
        readonly wait: WaitState
        readonly dueAt?: number
        /** It is of a session, and waits for this worker, which has its other steps. */
        readonly sessionWorker?: WorkerId
        readonly cancelRequestedAt?: number
      }
    | {
        readonly state: 'running'
        readonly worker: WorkerId
        readonly startedAt: number
        readonly cancelRequestedAt?: number
      }
    | {
        readonly state: 'succeeded'
        /** Left out when its result was another job's. */
        readonly startedAt?: number
        readonly endedAt: number
        readonly worker?: WorkerId
      }
    | {
        readonly state: 'failed' | 'cancelled'
        readonly startedAt?: number
        readonly endedAt: number
        readonly worker?: WorkerId
        readonly error: RecordedError
      }
  )

/** How one attempt went. `lapsed`: its worker was lost; `released`: handed back unharmed; `parked`: it rests in the store. */
export type AttemptOutcome = 'running' | EndState | 'retried' | 'lapsed' | 'released' | 'parked'

export type Attempt = {
  readonly attempt: number
  readonly worker: WorkerId
  readonly startedAt: number
  readonly endedAt?: number
  readonly outcome: AttemptOutcome
  readonly error?: RecordedError
}

export const END_STATES: readonly EndState[] = ['succeeded', 'failed', 'cancelled']

export function isEnded(state: JobState): state is EndState {
  return state !== 'waiting' && state !== 'running'
}
