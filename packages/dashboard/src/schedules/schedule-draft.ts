import type { ScheduleOptions, WireSchedule } from '@headrace/wire'
import { readInputs } from '../processes/example-input.ts'

/** What the form of a schedule holds: texts, as a person types them. */
export type ScheduleDraft = {
  readonly name: string
  readonly process: string
  readonly inputs: string
  readonly cron: string
  readonly timeZone: string
  readonly overlap: NonNullable<ScheduleOptions['overlap']>
  readonly catchUp: NonNullable<ScheduleOptions['catchUp']>
}

export const NEW_SCHEDULE: ScheduleDraft = {
  name: '',
  process: '',
  inputs: '{}',
  cron: '30 2 * * *',
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  overlap: 'skip',
  catchUp: 'one',
}

export function draftOf({ name, process, inputs, cron, timeZone, overlap, catchUp }: WireSchedule): ScheduleDraft {
  return {
    name,
    process,
    inputs: JSON.stringify(inputs, null, 2),
    cron,
    timeZone: timeZone ?? 'UTC',
    overlap: overlap ?? 'skip',
    catchUp: catchUp ?? 'one',
  }
}

/**
 * What is asked of the server; it says which expressions and inputs can be.
 * @param before the schedule that is changed: what the form does not show of it stays
 */
export function readDraft(
  draft: ScheduleDraft,
  before?: WireSchedule,
): { readonly options: ScheduleOptions } | { readonly wrong: string } {
  const read = readInputs(draft.inputs)
  if ('wrong' in read) return read
  if (draft.name.trim() === '') return { wrong: 'Give the schedule a name.' }
  if (draft.process === '') return { wrong: 'Choose the process that is started.' }
  const { process, cron, timeZone, overlap, catchUp } = draft
  return { options: { ...keptOf(before), process, inputs: read.inputs, cron, timeZone, overlap, catchUp } }
}

function keptOf(before: WireSchedule | undefined): Partial<ScheduleOptions> {
  if (before === undefined) return {}
  const { queue, priority, tags, owner, jitterMs, catchUpWindowMs, deadlineMs } = before
  const kept = { queue, priority, tags, owner, jitterMs, catchUpWindowMs, deadlineMs }
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined))
}

/** An instant as the clocks of a zone show it: `Sun 29 Mar 2026, 03:00:00`. */
export function inZone(at: string, timeZone: string): string {
  const parts = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
  return new Date(at).toLocaleString('en-GB', { ...parts, ...time, timeZone })
}

/** What a field for days and times holds, which the browser gives without a zone, as an instant in UTC. */
export function instantOf(local: string): string | undefined {
  const at = Date.parse(`${local}Z`)
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}
