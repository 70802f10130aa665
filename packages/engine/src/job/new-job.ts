import { cacheKey } from '../cache/cache-key.ts'
import type { SubmitOptions } from '../engine.ts'
import { contentOf } from '../payload/payloads.ts'
import type { NewJob, Payload } from '../store/store.ts'
import { checkDuration, checkLimit } from '../task/check-options.ts'
import type { AnyTask } from '../task/workflow.ts'
import type { JobId } from './job.ts'

/** Of jobs whose task names none. */
export const DEFAULT_QUEUE = 'default'

/** A job that somebody asks for: a submitter, or a workflow that is to be its parent. */
export type JobRequest = {
  readonly id: JobId
  readonly now: number
  readonly task: AnyTask
  /** As the task's schema reads it. */
  readonly input: unknown
  /** As it was given. */
  readonly given: unknown
  /** As the store keeps it. */
  readonly payload: Payload
  readonly options: SubmitOptions
  readonly owner: string | undefined
  readonly deployment: string | undefined
  /** The parent's. */
  readonly deadlineAtMax?: number | undefined
}

/** What is stored: the request's own options before the task's. @throws {OptionInvalidError} by a limit that is a function */
export function newJob(request: JobRequest): NewJob | Promise<NewJob> {
  const job = withoutCache(request)
  const { task, options } = request
  if (task.cache === undefined || options.cache === 'off') return job
  const dependencies = task.cache.dependencies?.(request.input) ?? []
  if (dependencies instanceof Promise) return dependencies.then((known) => withCache(job, request, known))
  return withCache(job, request, dependencies)
}

function withCache(job: NewJob, request: JobRequest, dependencies: readonly string[]): NewJob {
  const { task, options, given, owner } = request
  const { ttlMs = 0, perOwner } = task.cache ?? {}
  checkDuration('cache.ttlMs', ttlMs)
  const key = cacheKey({ task, input: given, dependencies, owner: perOwner === true ? owner : undefined })
  return { ...job, cache: { key, ttlMs, mode: options.cache === 'refresh' ? 'refresh' : 'use' } }
}

function withoutCache(request: JobRequest): NewJob {
  const { id, now, task, input, payload, options, owner, deployment, deadlineAtMax } = request
  const { delayMs, tags, idempotencyKey: key } = options
  const deadlineMs = options.deadlineMs ?? task.deadlineMs
  const deadlineAt = Math.min(
    deadlineMs === undefined ? Number.POSITIVE_INFINITY : now + deadlineMs,
    deadlineAtMax ?? Number.POSITIVE_INFINITY,
  )
  const [labels, needs] = [options.labels ?? task.labels, options.needs ?? task.needs]
  const limit = options.limit ?? (typeof task.limit === 'function' ? task.limit(input) : task.limit)
  return {
    id,
    task: task.name,
    kind: task.kind,
    queue: options.queue ?? task.queue ?? DEFAULT_QUEUE,
    priority: options.priority ?? task.priority ?? 0,
    input: payload,
    ...(delayMs !== undefined && { dueAt: Math.ceil(now + delayMs) }),
    ...(deadlineAt !== Number.POSITIVE_INFINITY && { deadlineAt: Math.ceil(deadlineAt) }),
    ...(owner !== undefined && { owner }),
    ...(tags !== undefined && { tags }),
    ...(deployment !== undefined && { deployment }),
    ...(labels !== undefined && { labels }),
    ...(needs !== undefined && { needs }),
    ...(limit !== undefined && { limit: checkLimit(limit) }),
    ...(task.lapsesMax !== undefined && { lapsesMax: task.lapsesMax }),
    ...(task.kind === 'workflow' && task.onFailure !== undefined && { cleanup: true }),
    ...(key !== undefined && {
      idempotency: { scope: owner ?? '', key, fingerprint: `${task.name} ${contentOf(payload)}` },
    }),
  }
}
