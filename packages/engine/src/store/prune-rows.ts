import type { EndState } from '../job/job.ts'
import { isPastKeep, type Retention } from '../retention/policy.ts'

/** What the SQL stores read of a job that may have to go, in the order of coming. */
export type PruneCandidate = {
  readonly seq: number
  readonly task: string
  readonly queue: string
  readonly created_at: number
  readonly parent_seq: number | null
  readonly state: EndState | null
  readonly ended_at: number | null
}

/** The statements that remove what is kept of a job, its row last. Each takes a list of numbers. */
export const PRUNE_REMOVALS = [
  'pruneTags',
  'pruneKeys',
  'pruneEvents',
  'pruneAttempts',
  'pruneSteps',
  'pruneSignals',
  'pruneSessions',
  'pruneProgress',
  'pruneOutcomes',
  'pruneJobs',
] as const

/** Whether a job is the top of its tree, has ended, and has been kept for long enough. */
export function isDueToGo(row: PruneCandidate, retention: Retention, now: number): boolean {
  const { parent_seq: parent, state, ended_at: endedAt, task, queue } = row
  if (parent !== null || state === null || endedAt === null) return false
  return isPastKeep(retention, { state, endedAt, task, queue }, now)
}

/** Where a step stopped: the last job that was looked at, and the last row of the log. */
export type PrunePlace = { readonly seq: number; readonly log: number }

export function readPrunePlace(text: string | undefined): PrunePlace {
  const [seq = 0, log = 0] = (text ?? '').split('.').map(Number)
  return { seq: Number.isSafeInteger(seq) ? seq : 0, log: Number.isSafeInteger(log) ? log : 0 }
}

export function writePrunePlace({ seq, log }: PrunePlace): string {
  return `${seq}.${log}`
}
