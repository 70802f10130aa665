import { StoreRefusedError } from '../errors.ts'
import type { Advance, Lease, Settlement, Told } from '../store/store.ts'

/** The store says of itself that it cannot, whatever it is given: the same may go through later. */
export function isOutage(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return code === 'store_unavailable' || code === 'store_full'
}

/** How an attempt ends of which the store refused to record a step, or the end that it came to. */
export function failedInstead(refused: Advance | Settlement, cause: unknown): Settlement {
  const { code, name, message, retryable } = new StoreRefusedError(nameOf(refused), { cause })
  return { lease: refused.lease, outcome: 'failed', error: { code, name, message, retryable } }
}

export const refusalReports = {
  tell: ({ lease, kind }: Told) => `The store refused a ${kind} of ${describe(lease)}; it is dropped.`,
  advance: (advance: Advance) => `The store refused ${nameOf(advance)} of ${describe(advance.lease)}; the job fails.`,
  settle: (settlement: Settlement) =>
    `The store refused ${nameOf(settlement)} of ${describe(settlement.lease)}; the job fails instead.`,
  instead: ({ lease }: Settlement) =>
    `The store refused even that ${describe(lease)} failed; the job is left to the lease of this worker.`,
} as const

// Without the names and values that were refused: what is stored instead must not be refused because of them.
function nameOf(refused: Advance | Settlement): string {
  return 'steps' in refused ? `step ${refused.steps[0]?.step}` : `the end "${refused.outcome}"`
}

function describe({ jobId, attempt }: Lease): string {
  return `attempt ${attempt} of job ${jobId}`
}
