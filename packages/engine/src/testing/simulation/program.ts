import type { Dice } from './dice.ts'

/** One task's work: doubles a number, after a while, with the troubles that it is told to have. */
export type Work = {
  readonly value: number
  readonly ms: number
  /** It throws so often before it succeeds; 99: it throws for good. */
  readonly throws: number
  /** Whether it looks at its signal. */
  readonly stubborn: boolean
}

export type Op =
  | { readonly op: 'call'; readonly work: Work }
  | { readonly op: 'flow'; readonly ops: readonly Op[] }
  | { readonly op: 'map'; readonly works: readonly Work[]; readonly concurrency?: number; readonly collect: boolean }
  | { readonly op: 'mapFlows'; readonly flows: readonly (readonly Op[])[]; readonly collect: boolean }
  | { readonly op: 'all'; readonly branches: readonly Op[] }
  | { readonly op: 'race'; readonly branches: readonly Op[] }
  | { readonly op: 'limited'; readonly keys: readonly number[] }
  | { readonly op: 'cached'; readonly value: number }
  | { readonly op: 'wait'; readonly name: string; readonly timeoutMs: number }
  | { readonly op: 'undo'; readonly ms: number }
  | { readonly op: 'step'; readonly value: number; readonly ms: number; readonly throws: boolean }
  | { readonly op: 'sleep'; readonly ms: number }
  | { readonly op: 'draw' }
  | { readonly op: 'start'; readonly work: Work }
  | SessionOp
  | { readonly op: 'leave'; readonly work: Work }
  | { readonly op: 'try'; readonly body: Op }

/** One after the other, then some at once, then a workflow, all on one worker; and one that nobody waits for. */
export type SessionOp = {
  readonly op: 'session'
  readonly calls: readonly Work[]
  readonly group: readonly Work[]
  readonly flow?: readonly Op[]
  readonly left?: Work
  readonly restart: boolean
}

export type Result = number | string | readonly Result[]

export const FAILED_FOR_GOOD = 99
/** Of the task `limited`: so many of a key at once, and so many keys. */
export const LIMIT_MAX = 2
const LIMIT_KEYS = 2
export const SIGNALS = ['red', 'green'] as const

export function limitedResult(key: number): number {
  return key * 3
}

export function cachedResult(value: number): number {
  return value * 5
}

/** What a job of this task gives when nothing is cancelled and no job is given up; undefined: it throws. */
export function expectedOf(task: string, input: unknown): Result | undefined {
  switch (task) {
    case 'work':
      return expectedWork(input as Work)
    case 'limited':
      return limitedResult(input as number)
    case 'cached':
      return cachedResult(input as number)
    case 'tick':
      return 'ticked'
    default:
      return expectedAll(input as readonly Op[])
  }
}

/** What an op gives when nothing is cancelled and no job is given up; undefined: it throws. */
export function expected(op: Op): Result | undefined {
  switch (op.op) {
    case 'call':
      return expectedWork(op.work)
    case 'flow':
      return expectedAll(op.ops)
    case 'map':
      return op.collect ? op.works.map((work) => expectedWork(work) ?? 'failed') : allOrNone(op.works.map(expectedWork))
    case 'mapFlows':
      return op.collect ? op.flows.map((ops) => expectedAll(ops) ?? 'failed') : allOrNone(op.flows.map(expectedAll))
    case 'all':
      return allOrNone(op.branches.map(expected))
    case 'race':
      return 'raced'
    case 'limited':
      return op.keys.map(limitedResult)
    case 'cached':
      return cachedResult(op.value)
    case 'wait':
      return 'waited'
    case 'undo':
      return 'done'
    case 'step':
      return op.throws ? undefined : op.value + 1
    case 'sleep':
      return 'slept'
    case 'draw':
      return 'drawn'
    case 'start':
      return 'started'
    case 'session':
      return allOrNone([
        ...op.calls.map(expectedWork),
        allOrNone(op.group.map(expectedWork)),
        ...(op.flow === undefined ? [] : [expectedAll(op.flow)]),
      ])
    case 'leave':
      return 'left'
    case 'try':
      return expected(op.body) ?? 'caught'
  }
}

export function expectedAll(ops: readonly Op[]): Result | undefined {
  return allOrNone(ops.map(expected))
}

export function expectedWork(work: Work): number | undefined {
  return work.throws >= FAILED_FOR_GOOD ? undefined : work.value * 2
}

function allOrNone(results: readonly (Result | undefined)[]): readonly Result[] | undefined {
  return results.includes(undefined) ? undefined : (results as readonly Result[])
}

/** Draws a workflow's program. @param depth how many levels of workflows may still nest */
export function drawProgram(dice: Dice, depth: number): readonly Op[] {
  return Array.from({ length: dice.between(1, 4) }, () => drawOp(dice, depth))
}

function drawOp(dice: Dice, depth: number): Op {
  const kind = dice.pick([
    'call',
    'call',
    'map',
    'map',
    'all',
    'all',
    'race',
    'step',
    'step',
    'sleep',
    'draw',
    'start',
    'leave',
    'try',
    'flow',
    'mapFlows',
    'limited',
    'cached',
    'wait',
    'undo',
    'session',
    'session',
  ] as const)
  switch (kind) {
    case 'call':
    case 'start':
    case 'leave':
      return { op: kind, work: drawWork(dice) }
    case 'map': {
      const works = Array.from({ length: dice.between(0, 7) }, () => drawWork(dice))
      const concurrency = dice.between(0, 3)
      return { op: 'map', works, collect: dice.chance(0.5), ...(concurrency > 0 && { concurrency }) }
    }
    case 'all':
    case 'race': {
      if (depth <= 0) return { op: 'step', value: 1, ms: 0, throws: false }
      return { op: kind, branches: Array.from({ length: dice.between(2, 3) }, () => drawOp(dice, depth - 1)) }
    }
    case 'step':
      return {
        op: 'step',
        value: dice.between(0, 99),
        ms: dice.between(0, 1) * dice.between(1, 900),
        throws: dice.chance(0.1),
      }
    case 'sleep':
      return { op: 'sleep', ms: dice.between(0, 3_000) }
    case 'limited':
      return { op: 'limited', keys: Array.from({ length: dice.between(1, 4) }, () => dice.between(1, LIMIT_KEYS)) }
    case 'cached':
      return { op: 'cached', value: dice.between(1, 3) }
    case 'wait':
      return { op: 'wait', name: dice.pick(SIGNALS), timeoutMs: dice.between(100, 6_000) }
    case 'undo':
      return { op: 'undo', ms: dice.between(0, 1) * dice.between(1, 900) }
    case 'draw':
      return { op: 'draw' }
    case 'session':
      return {
        op: 'session',
        calls: Array.from({ length: dice.between(0, 3) }, () => drawWork(dice)),
        group: Array.from({ length: dice.between(0, 4) }, () => drawWork(dice)),
        ...(depth > 0 && dice.chance(0.3) && { flow: drawProgram(dice, depth - 1) }),
        ...(dice.chance(0.3) && { left: drawWork(dice) }),
        restart: dice.chance(0.6),
      }
    case 'try':
      return { op: 'try', body: drawOp(dice, depth) }
    case 'flow':
      return depth <= 0 ? { op: 'draw' } : { op: 'flow', ops: drawProgram(dice, depth - 1) }
    case 'mapFlows': {
      if (depth <= 0) return { op: 'draw' }
      const flows = Array.from({ length: dice.between(1, 3) }, () => drawProgram(dice, depth - 1))
      return { op: 'mapFlows', flows, collect: dice.chance(0.5) }
    }
  }
}

export function drawWork(dice: Dice): Work {
  const throws = dice.pick([0, 0, 0, 0, 0, 0, 1, 2, FAILED_FOR_GOOD])
  const ms = dice.chance(0.5) ? 0 : dice.between(1, 2_500)
  return { value: dice.between(1, 99), ms, throws, stubborn: dice.chance(0.1) }
}
