import type {
  ArtifactList,
  JobHistory,
  JobTree,
  Json,
  LogLine,
  RetryRequest,
  SignalAnswer,
  StatusInfo,
  WaitAnswer,
  WireArtifact,
  WireAttempt,
  WireEvent,
  WireStep,
  WireWaitReason,
} from '@headrace/wire'
import { JobCancelledError, JobFailedError } from '../errors.ts'
import type { Http } from '../http/http.ts'
import { randomKey } from '../http/random-key.ts'
import { type FollowJobOptions, followJob } from './follow-job.ts'
import { type LogOptions, readLogs } from './read-logs.ts'
import { subscribeToJob } from './subscribe.ts'
import { type WaitOptions, waitForEnd } from './wait-for-end.ts'

/**
 * One job on the server. It holds nothing but the id: every call asks the server, so it can be made anew from the id
 * after a reload.
 */
export interface Job<Output = Json> {
  readonly id: string

  status(): Promise<StatusInfo>

  /** Waits until the job has ended, however it ended. Throws `WaitTimeoutError`, or the signal's reason. */
  end(options?: WaitOptions): Promise<StatusInfo>

  /**
   * Waits for the job and gives its outputs by their ids; a process that names none has one, `result`. Lost connections and restarts of the server are waited out.
   * @throws {JobFailedError}    when it ended `failed`; `error` says why
   * @throws {JobCancelledError} when it ended `cancelled`
   * @throws {WaitTimeoutError}  when it had not ended after `timeoutMs`; the job goes on
   * @throws {ProblemError}      when there is no such job, or it is not the caller's
   */
  result(options?: WaitOptions): Promise<Output>

  /** Asks the server to end it and all its children. To ask twice does no harm. */
  cancel(): Promise<StatusInfo>

  /**
   * Sends a workflow a signal, which its `flow.waitFor(name)` receives; one that comes early is kept. Safe to repeat: each
   * call has a key, a random one when left out.
   * @throws {ProblemError} `job_ended`, `not_a_workflow`, or when there is no such job
   */
  signal(name: string, value?: Json, options?: { readonly key?: string }): Promise<SignalAnswer>

  /**
   * A new job like this ended one; a workflow that did not succeed goes on from the step that failed. Safe to repeat: each
   * call has a key, a random one when left out.
   * @throws {ProblemError} `job_not_ended`, `input_invalid`, `option_invalid`, or when there is no such job
   */
  retry(options?: RetryRequest & { readonly idempotencyKey?: string }): Promise<Job<Output>>

  /** What happened and what happens, each event once and in order, up to and including the job's `ended`. */
  events(options?: FollowJobOptions): AsyncIterable<WireEvent>

  /** Its log lines, oldest first; with `follow`, until the job ends. */
  logs(options?: LogOptions): AsyncIterable<LogLine>

  /** Why it waits, in one sentence; undefined when it does not wait. */
  waiting(): Promise<WireWaitReason | undefined>
  /** The job and its descendants, oldest first. */
  tree(): Promise<JobTree>
  attempts(): Promise<readonly WireAttempt[]>
  /** What a workflow recorded; empty for a task. */
  steps(): Promise<readonly WireStep[]>
  /** All that a workflow recorded, as `replay` of `@headrace/testing` takes it. @throws {ProblemError} `not_a_workflow` */
  history(): Promise<JobHistory>
  inputs(): Promise<Json>
  artifacts(): Promise<readonly WireArtifact[]>

  /**
   * Calls `listener` with the status now and after each change, until the job has ended.
   * @returns stops it
   */
  subscribe(listener: (status: StatusInfo) => void, onError?: (error: unknown) => void): () => void
}

export function createJob<Output>(http: Http, id: string): Job<Output> {
  const path = `/jobs/${encodeURIComponent(id)}`
  const get = <T>(under: string) => http.json<T>({ path: path + under })
  return {
    id,
    status: () => get<StatusInfo>(''),
    end: (options = {}) => waitForEnd(http, id, options),
    async result(options = {}) {
      const status = await waitForEnd(http, id, options)
      if (status.state === 'failed') throw new JobFailedError(status)
      if (status.state === 'cancelled') throw new JobCancelledError(status)
      return http.json<Output>({ path: `${path}/results`, query: { response: 'document' }, signal: options.signal })
    },
    cancel: () => http.json<StatusInfo>({ method: 'DELETE', path }),
    signal: (name, value = null, options = {}) =>
      http.json<SignalAnswer>({
        method: 'POST',
        path: `${path}/signals/${encodeURIComponent(name)}`,
        headers: { 'idempotency-key': options.key ?? randomKey() },
        body: value,
        isRepeatable: true, // by its key
      }),
    async retry({ idempotencyKey = randomKey(), ...body }: RetryRequest & { readonly idempotencyKey?: string } = {}) {
      const next = await http.json<StatusInfo>({
        method: 'POST',
        path: `${path}/retry`,
        headers: { 'idempotency-key': idempotencyKey },
        body,
        isRepeatable: true, // by its key
      })
      return createJob<Output>(http, next.jobID)
    },
    events: (options = {}) => followJob(http, id, options),
    logs: (options = {}) => readLogs(http, id, options),
    waiting: async () => (await get<WaitAnswer>('/waiting')).reason,
    tree: () => get<JobTree>('/tree'),
    history: () => get<JobHistory>('/history'),
    attempts: async () => (await get<{ readonly attempts: readonly WireAttempt[] }>('/attempts')).attempts,
    steps: async () => (await get<{ readonly steps: readonly WireStep[] }>('/steps')).steps,
    inputs: async () => (await get<{ readonly inputs: Json }>('/inputs')).inputs,
    artifacts: async () => (await get<ArtifactList>('/artifacts')).artifacts,
    subscribe: (listener, onError) => subscribeToJob(http, id, listener, onError),
  }
}
