import type { JobId, Schedule, Store } from '@headrace/engine'
import type { WireSchedule } from '@headrace/wire'
import { iso } from '../job/status-info.ts'
import type { Process } from '../process/process.ts'
import { toInputs } from '../process/read-inputs.ts'

/** Schedules as they cross HTTP, each with how its last run stands. */
export async function toWireSchedules(
  schedules: readonly Schedule[],
  { store, processes }: { readonly store: Store; readonly processes: ReadonlyMap<string, Process> },
): Promise<readonly WireSchedule[]> {
  const last = schedules.flatMap(({ lastJobId }) => lastJobId ?? [])
  const states = last.length === 0 ? new Map<JobId, never>() : await store.states(last)
  return schedules.map((schedule) => {
    const { task, input, nextRuns, lastAt, lastJobId, nextAt: _, changedAt, ...rest } = schedule
    const state = lastJobId && states.get(lastJobId)
    return {
      ...rest,
      process: task,
      inputs: toInputs(processes.get(task), input ?? null),
      nextRuns: nextRuns.map(iso),
      ...(lastAt !== undefined && { lastAt: iso(lastAt) }),
      ...(lastJobId !== undefined && state !== undefined && { lastJob: { jobID: lastJobId, state } }),
      changedAt: iso(changedAt),
    }
  })
}
