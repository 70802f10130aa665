import type {
  ChildOutcome,
  EndState,
  GroupPolicy,
  JobId,
  RecordedError,
  RecordedStep,
  Release,
  StepKind,
} from '@headrace/engine'

/** `outcomes.state`. */
export const END_STATES: Readonly<Record<number, EndState>> = { 1: 'succeeded', 2: 'failed', 3: 'cancelled' }

export type ChildRow = {
  readonly id: string
  readonly task: string
  readonly item: number
  readonly step: number
  readonly state: number | null
  readonly result: string | null
  readonly error: string | null
  /** Of the child whose failure ended its group. */
  readonly ended_group: boolean | null
}

export type StepRow = {
  readonly step: number
  readonly kind: StepKind
  readonly name: string
  readonly value: string | null
  readonly error: string | null
  readonly due_at: number | null
  readonly policy: GroupPolicy | null
  readonly delivered: string | null
  readonly delivered_from: number
  readonly recorded_at: number
  readonly compensates: boolean
}

export type ReleaseRow = {
  readonly parent_id: string
  readonly step: number
  readonly value: string | null
  readonly error: string | null
}

export function toRelease({ parent_id, step, value, error }: ReleaseRow): Release {
  return {
    parentId: parent_id as JobId,
    step,
    ...(value !== null && { value }),
    ...(error !== null && { error: JSON.parse(error) as RecordedError }),
  }
}

export function toChildOutcome(row: ChildRow): ChildOutcome {
  // The store's own rows hold nothing but ids in this place.
  const child = { jobId: row.id as JobId, task: row.task, item: row.item }
  if (row.state === null) return { ...child, state: 'pending' }
  // The schema: an outcome that is not a success has an error.
  const state = END_STATES[row.state]
  if (state !== 'succeeded' && state !== undefined) {
    const error = JSON.parse(row.error ?? '{}') as RecordedError
    return { ...child, state, error, ...(row.ended_group === true && { endedGroup: true }) }
  }
  return { ...child, state: 'succeeded', result: row.result ?? 'null' }
}

/** A workflow's steps in step order, each with its children. */
export function toRecordedSteps(steps: readonly StepRow[], children: readonly ChildRow[]): RecordedStep[] {
  const byStep = Map.groupBy(children, (child) => child.step)
  return steps.map((row) => ({
    step: row.step,
    kind: row.kind,
    name: row.name,
    delivered: row.delivered === null ? [] : (JSON.parse(row.delivered) as number[]),
    deliveredFrom: row.delivered_from,
    recordedAt: row.recorded_at,
    children: (byStep.get(row.step) ?? []).map(toChildOutcome),
    ...(row.value !== null && { value: row.value }),
    ...(row.error !== null && { error: JSON.parse(row.error) as RecordedError }),
    ...(row.due_at !== null && { dueAt: row.due_at }),
    ...(row.policy !== null && { policy: row.policy }),
    ...(row.compensates && { compensates: true as const }),
  }))
}
