import { OptionInvalidError } from '../errors.ts'
import type { JobLimit } from '../job/job.ts'
import type { LimitOption } from './task.ts'

/** What may be said of a job besides its input, by a submitter or a workflow. */
type Options = {
  readonly queue?: string
  readonly priority?: number
  readonly delayMs?: number
  readonly deadlineMs?: number
  readonly tags?: readonly string[]
  readonly idempotencyKey?: string
  readonly concurrency?: number
  readonly limit?: LimitOption
}

const PRIORITY_MAX = 1_000_000
/** A hundred years: longer is a mistake in the unit. */
const DURATION_MS_MAX = 100 * 365 * 86_400_000
const LIMIT_MAX = 1_000_000
const WHEN_FULL: readonly JobLimit['whenFull'][] = ['wait', 'reject', 'replace']
const TAGS_MAX = 50
const TEXT_LENGTH_MAX = 255

/** Refuses what could not be stored or would never happen, before anything is stored. @throws {OptionInvalidError} */
export function checkOptions(options: Options): void {
  const { queue, priority, delayMs, deadlineMs, tags, idempotencyKey, concurrency, limit } = options
  if (queue !== undefined) checkText('queue', queue)
  if (priority !== undefined) checkWhole('priority', priority, -PRIORITY_MAX, PRIORITY_MAX)
  if (delayMs !== undefined) checkDuration('delayMs', delayMs)
  if (deadlineMs !== undefined) checkDuration('deadlineMs', deadlineMs)
  if (concurrency !== undefined) checkWhole('concurrency', concurrency, 1, Number.MAX_SAFE_INTEGER)
  if (idempotencyKey !== undefined) checkText('idempotencyKey', idempotencyKey)
  if (limit !== undefined) checkLimit(limit)
  if (tags === undefined) return
  if (tags.length > TAGS_MAX) throw new OptionInvalidError('tags', `${tags.length} of them`, `at most ${TAGS_MAX}`)
  for (const tag of tags) checkText('tags', tag)
}

/** @returns the limit with all that was left out. @throws {OptionInvalidError} */
export function checkLimit({ key, max = 1, whenFull = 'wait' }: LimitOption): JobLimit {
  checkText('limit.key', key)
  checkWhole('limit.max', max, 1, LIMIT_MAX)
  if (!WHEN_FULL.includes(whenFull))
    throw new OptionInvalidError('limit.whenFull', String(whenFull), `one of ${WHEN_FULL.join(', ')}`)
  return { key, max, whenFull }
}

/** @throws {OptionInvalidError} unless it is 0 or more and less than a hundred years */
export function checkDuration(name: string, ms: number): void {
  if (typeof ms === 'number' && ms >= 0 && ms <= DURATION_MS_MAX) return
  throw new OptionInvalidError(name, String(ms), 'milliseconds, from 0 to a hundred years')
}

function checkWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new OptionInvalidError(name, String(value), `a whole number from ${min} to ${max}`)
}

/** @throws {OptionInvalidError} unless it is a text of 1 to 255 characters */
export function checkText(name: string, value: string): void {
  if (typeof value === 'string' && value.length >= 1 && value.length <= TEXT_LENGTH_MAX) return
  const shown = typeof value === 'string' ? `a text of ${value.length} characters` : String(value)
  throw new OptionInvalidError(name, shown, `a text of 1 to ${TEXT_LENGTH_MAX} characters`)
}
