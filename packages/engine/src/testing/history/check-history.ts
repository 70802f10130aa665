import type { Job, JobId } from '../../job/job.ts'
import type { JobEvent } from '../../store/store.ts'
import { groupRules } from './group-rules.ts'
import { lifeRules } from './life-rules.ts'
import type { StoreHistory, Witness } from './store-history.ts'
import { witnessRules } from './witness-rules.ts'

/** A promise that was not kept. */
export type Breach = { readonly rule: RuleName; readonly what: string }

export type RuleName = keyof typeof lifeRules | keyof typeof groupRules | keyof typeof witnessRules

/** A history, as the rules look things up in it. */
export type Chronicle = StoreHistory & {
  readonly byId: ReadonlyMap<JobId, Job>
  /** Each job's events in their order. */
  readonly lives: ReadonlyMap<JobId, readonly JobEvent[]>
  /** The cursor of each job's end. */
  readonly ends: ReadonlyMap<JobId, number>
}

export type Rule = (chronicle: Chronicle, witness: Witness, say: (what: string) => void) => void

export const rules: Readonly<Record<RuleName, Rule>> = { ...lifeRules, ...groupRules, ...witnessRules }

/**
 * Whether a store kept the promises, from its own history and from what was seen outside of it. Pure: it can be asked of
 * any store, and of a history that was kept.
 * @returns what was not kept, rule by rule; empty when all is well
 */
export function checkHistory(history: StoreHistory, witness: Witness): Breach[] {
  const chronicle: Chronicle = {
    ...history,
    byId: new Map(history.jobs.map((job) => [job.id, job])),
    lives: Map.groupBy(history.events, ({ jobId }) => jobId),
    ends: new Map(history.events.flatMap(({ kind, jobId, cursor }) => (kind === 'ended' ? [[jobId, cursor]] : []))),
  }
  const breaches: Breach[] = []
  // The keys of `rules` are the names.
  for (const [rule, check] of Object.entries(rules) as [RuleName, Rule][]) {
    check(chronicle, witness, (what) => breaches.push({ rule, what }))
  }
  return breaches
}
