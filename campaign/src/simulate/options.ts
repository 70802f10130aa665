import { parseArgs } from 'node:util'
import type { Plan } from '@headrace/engine/testing'
import { UsageError } from '../options.ts'

export type SimulateOptions = {
  /** `both`: SQLite, with each answer compared to that of the memory store. */
  readonly store: 'memory' | 'sqlite' | 'both'
  readonly from: number
  readonly seeds: number
  /** No further seed is begun after so long. */
  readonly seconds: number
  /** Instead of seeds: one plan, such as a shrunk one. */
  readonly plan: Plan | undefined
  readonly json: boolean
}

const USAGE = `npm run simulate -- [--store memory|sqlite|both] [--seeds N] [--from N] [--seconds S] [--plan JSON] [--json]`

/** @throws {UsageError} with what is wrong and how it is used */
export function parseSimulateOptions(args: readonly string[]): SimulateOptions {
  const { store, from, seeds, seconds, plan, json } = parse(args)
  if (store !== 'memory' && store !== 'sqlite' && store !== 'both')
    throw usage(`--store ${store}: memory, sqlite or both`)
  return {
    store,
    from: wholeNumber('--from', from),
    seeds: wholeNumber('--seeds', seeds),
    seconds: wholeNumber('--seconds', seconds),
    plan: plan === undefined ? undefined : readPlan(plan),
    json,
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw usage(`${name} ${text}: a whole number of up to nine digits`)
  return Number(text)
}

function readPlan(text: string): Plan {
  try {
    const plan = JSON.parse(text) as Partial<Plan> | null
    const isPlan =
      typeof plan?.seed === 'number' && typeof plan.machines === 'number' && typeof plan.faults === 'object'
    if (isPlan && Array.isArray(plan.submissions) && Array.isArray(plan.harms)) return plan as Plan
  } catch {
    // Told below, like all else that is no plan.
  }
  throw usage(`--plan ${text.slice(0, 40)}: the JSON of a plan, as a failed run prints it`)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        store: { type: 'string', default: 'memory' },
        from: { type: 'string', default: '1' },
        seeds: { type: 'string', default: '100' },
        seconds: { type: 'string', default: '999999999' },
        plan: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error))
  }
}

function usage(what: string): UsageError {
  return new UsageError(`${what}\n${USAGE}`)
}
