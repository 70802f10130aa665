import type { CacheMode } from '../cache/cache-key.ts'
import { OptionInvalidError } from '../errors.ts'
import type { SessionOptions } from '../flow/session.ts'
import type { JobLimit } from '../job/job.ts'
import { amountsOf, type Resources } from '../routing/resources.ts'
import type { QueueChange } from '../store/store.ts'
import type { LimitOption } from './task.ts'
import type { AnyTask } from './workflow.ts'

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
  readonly labels?: readonly string[]
  readonly needs?: Resources
  readonly deployment?: string
  readonly cache?: CacheMode
}

const PRIORITY_MAX = 1_000_000
/** A hundred years: longer is a mistake in the unit. */
const DURATION_MS_MAX = 100 * 365 * 86_400_000
const LIMIT_MAX = 1_000_000
const PAGE_LIMIT_MAX = 1_000
const RATE_MAX = 1_000_000
/** A day. */
const RATE_PER_MS_MAX = 86_400_000
const LABELS_MAX = 20
const LAPSES_MAX_MAX = 1_000
const AMOUNT_MAX = 1_000_000_000
const PLAIN_RESOURCES = ['cpu', 'memoryMb', 'gpuMemoryMb']
const NAME_FORM = '1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first'
const NAME = /^[A-Za-z0-9][\w.-]{0,62}$/
const LABEL = /^[A-Za-z0-9][\w.-]{0,62}(=[\w.-]{1,63})?$/
const CACHE_MODES: readonly CacheMode[] = ['use', 'refresh', 'off']
const ON_LOST: readonly SessionOptions['onLost'][] = ['fail', 'restart']
const RESTARTS_MAX = 1_000
const WHEN_FULL: readonly JobLimit['whenFull'][] = ['wait', 'reject', 'replace']
const TAGS_MAX = 50
const TEXT_LENGTH_MAX = 255

/** Refuses what could not be stored or would never happen, before anything is stored. @throws {OptionInvalidError} */
export function checkOptions(options: Options): void {
  const { queue, priority, delayMs, deadlineMs, tags, idempotencyKey, concurrency, limit, deployment, cache } = options
  if (queue !== undefined) checkText('queue', queue)
  if (priority !== undefined) checkWhole('priority', priority, -PRIORITY_MAX, PRIORITY_MAX)
  if (delayMs !== undefined) checkDuration('delayMs', delayMs)
  if (deadlineMs !== undefined) checkDuration('deadlineMs', deadlineMs)
  if (concurrency !== undefined) checkWhole('concurrency', concurrency, 1, Number.MAX_SAFE_INTEGER)
  if (idempotencyKey !== undefined) checkText('idempotencyKey', idempotencyKey)
  if (limit !== undefined) checkLimit(limit)
  if (deployment !== undefined) checkDeployment('deployment', deployment)
  checkTraits(options)
  if (cache !== undefined && !CACHE_MODES.includes(cache))
    throw new OptionInvalidError('cache', String(cache), `one of ${CACHE_MODES.join(', ')}`)
  if (tags === undefined) return
  if (tags.length > TAGS_MAX) throw new OptionInvalidError('tags', `${tags.length} of them`, `at most ${TAGS_MAX}`)
  for (const tag of tags) checkText('tags', tag)
}

/** @throws {OptionInvalidError} */
export function checkSession(queue: string, { onLost, maxRestarts, labels }: SessionOptions): void {
  checkText('The queue of a session', queue)
  if (onLost !== undefined && !ON_LOST.includes(onLost))
    throw new OptionInvalidError('onLost', String(onLost), `one of ${ON_LOST.join(', ')}`)
  if (maxRestarts !== undefined) checkWhole('maxRestarts', maxRestarts, 0, RESTARTS_MAX)
  if (labels !== undefined) checkLabels('The labels of a session', labels)
}

/** What a task says for all its jobs. @throws {OptionInvalidError} */
export function checkTask(task: AnyTask): void {
  const { name, labels, needs, limit, lapsesMax } = task
  const of = ` of task ${name}`
  if (lapsesMax !== undefined) checkWhole(`lapsesMax${of}`, lapsesMax, 1, LAPSES_MAX_MAX)
  if (task.kind === 'workflow') checkDuration(`cleanupTimeoutMs${of}`, task.cleanupTimeoutMs)
  checkTraits({ ...(labels && { labels }), ...(needs && { needs }) }, of)
  if (typeof limit === 'object') checkLimit(limit, of)
}

/** @param of whose they are, for the message. @throws {OptionInvalidError} */
function checkTraits({ labels, needs }: Pick<Options, 'labels' | 'needs'>, of = ''): void {
  if (labels !== undefined) checkLabels(`labels${of}`, labels)
  if (needs !== undefined) checkResources('needs', needs, { of })
}

/** @throws {OptionInvalidError} */
export function checkQueueChange(name: string, { paused, rate, fair, shares = {} }: QueueChange): void {
  checkText('queue', name)
  for (const [option, value] of Object.entries({ paused, fair })) {
    if (value !== undefined && typeof value !== 'boolean')
      throw new OptionInvalidError(option, String(value), 'true or false')
  }
  if (rate !== undefined && rate !== null) {
    checkWhole('rate.count', rate.count, 1, RATE_MAX)
    checkWhole('rate.perMs', rate.perMs, 1, RATE_PER_MS_MAX)
  }
  for (const [owner, weight] of Object.entries(shares)) {
    checkText('an owner in shares', owner)
    if (typeof weight === 'number' && weight >= 0.001 && weight <= 1_000) continue
    throw new OptionInvalidError(`shares.${owner}`, String(weight), 'a weight from 0.001 to 1000')
  }
}

/** @throws {OptionInvalidError} unless it is a short name, such as `blue` or a commit's hash */
export function checkDeployment(option: string, name: string): void {
  checkPattern(option, name, NAME, NAME_FORM)
}

/** @throws {OptionInvalidError} unless each is a name, or a name and a value: `gpu`, `region=eu` */
export function checkLabels(option: string, labels: readonly string[]): void {
  if (!Array.isArray(labels)) throw new OptionInvalidError(option, String(labels), 'a list of labels')
  if (labels.length > LABELS_MAX)
    throw new OptionInvalidError(option, `${labels.length} of them`, `at most ${LABELS_MAX}`)
  const form = 'a name or name=value of letters, digits, dots, dashes and underscores, each of at most 63'
  for (const label of labels) checkPattern(option, label, LABEL, form)
}

type ResourceCheck = {
  /** The least that makes sense: nobody needs nothing, but a worker may offer it. */
  readonly min?: number
  /** Whose they are, for the message. */
  readonly of?: string
}

/** @throws {OptionInvalidError} */
export function checkResources(option: string, resources: Resources, check: ResourceCheck = {}): void {
  const { min = Number.MIN_VALUE, of = '' } = check
  const refuse = (what: string, value: string, allowed: string) => {
    throw new OptionInvalidError(`${what}${of}`, value, allowed)
  }
  const example = 'an object such as { cpu: 2, memoryMb: 8000 }'
  if (typeof resources !== 'object' || resources === null)
    throw new OptionInvalidError(`${option}${of}`, String(resources), example)
  const { slots = {}, ...plain } = resources
  const strange = Object.keys(plain).find((name) => !PLAIN_RESOURCES.includes(name))
  if (strange !== undefined) refuse(option, `of ${strange}`, `of ${PLAIN_RESOURCES.join(', ')} or slots`)
  const names = Object.keys(slots)
  if (names.length > LABELS_MAX) refuse(`${option}.slots`, `${names.length} of them`, `at most ${LABELS_MAX}`)
  for (const name of names) checkPattern(`a name in ${option}.slots${of}`, name, NAME, NAME_FORM)
  for (const [name, amount] of Object.entries(amountsOf(resources))) {
    if (typeof amount === 'number' && amount >= min && amount <= AMOUNT_MAX) continue
    const allowed = min > 0 ? `more than 0, and at most ${AMOUNT_MAX}` : `from 0 to ${AMOUNT_MAX}`
    refuse(`${option}.${name}`, String(amount), `a number ${allowed}`)
  }
}

function checkPattern(option: string, value: string, pattern: RegExp, allowed: string): void {
  if (typeof value === 'string' && pattern.test(value)) return
  throw new OptionInvalidError(option, JSON.stringify(value)?.slice(0, 100) ?? String(value), allowed)
}

/** How many are read or changed at once. @throws {OptionInvalidError} */
export function checkPageLimit(option: string, limit: number): void {
  checkWhole(option, limit, 1, PAGE_LIMIT_MAX)
}

/** @returns the limit with all that was left out. @throws {OptionInvalidError} */
export function checkLimit({ key, max = 1, whenFull = 'wait' }: LimitOption, of = ''): JobLimit {
  checkText(`limit.key${of}`, key)
  checkWhole(`limit.max${of}`, max, 1, LIMIT_MAX)
  if (!WHEN_FULL.includes(whenFull))
    throw new OptionInvalidError(`limit.whenFull${of}`, String(whenFull), `one of ${WHEN_FULL.join(', ')}`)
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
