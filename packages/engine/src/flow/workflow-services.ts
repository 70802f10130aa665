import type { Clock } from '../clock/clock.ts'
import type { Payloads } from '../payload/payloads.ts'
import type { ChildOutcome, Claimed, Lease, NewJob, NewStep, Payload, RecordedStep, Told } from '../store/store.ts'
import type { AnyTask } from '../task/workflow.ts'
import type { CallOptions } from './flow.ts'

/** A child's input, as it was given, as its task's schema reads it, and as the store keeps it. */
export type ChildInput = { readonly given: unknown; readonly parsed: unknown; readonly payload: Payload }

/** A workflow at rest, which can leave the worker's memory. */
export interface Parkable {
  park(): void
}

/** What a worker does for the workflows that it runs. */
export type WorkflowServices = {
  readonly clock: Clock
  readonly payloads: Payloads
  history(row: number): Promise<readonly RecordedStep[]>
  outcomes(row: number, step: number): Promise<readonly ChildOutcome[]>
  advance(lease: Lease, steps: readonly NewStep[]): Promise<'recorded' | 'lease_lost' | 'cancelling'>
  tell(told: Told): void
  /** Resolves once a slot of the workflow's queue, and what it needs besides, is taken for a local step. */
  takeSlot(claimed: Pick<Claimed, 'queue' | 'needs'>): Promise<void>
  releaseSlot(claimed: Pick<Claimed, 'queue' | 'needs'>): void
  newJob(task: AnyTask, input: ChildInput, options: CallOptions, parent: Claimed): NewJob | Promise<NewJob>
  /** A workflow that could wait for the same in the store: it may be parked from now on. */
  rests(run: Parkable): void
  /** It is at work again, or over. */
  wakes(run: Parkable): void
  /** The cancel that the store knows of has not been heard of yet. */
  lookForCancel(): void
}
