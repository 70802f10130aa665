import type { LogLevel } from './execution.ts'
import type { PlainThrown } from './thrown.ts'

/** What a thread is born with: the function it runs, and the numbers it shares with its owner. */
export type ThreadSetup = { readonly module: string; readonly exportName: string; readonly shared: SharedArrayBuffer }

/** The shared numbers, as indexes into an Int32Array. Both are 0 when an attempt starts. */
export const SHARED = {
  /** 1 once an abort has been sent, so that code which never yields to its event loop sees it all the same. */
  abortSent: 0,
  /** How many of the attempt's reports the owner has passed on. A thread far ahead of it waits. */
  reportsTaken: 1,
  bytes: 8,
} as const

/** A thread goes on reporting until it is so many reports ahead of its owner. */
export const REPORTS_AHEAD_MAX = 1_024

/** `run` numbers the attempts of one thread; what comes late, of an earlier one, is dropped on both sides. */
export type ToThread = { readonly run: number } & (
  | {
      readonly type: 'run'
      readonly jobId: string
      readonly attempt: number
      readonly task: string
      readonly input: unknown
    }
  | { readonly type: 'abort'; readonly reason: PlainThrown }
  | { readonly type: 'artifact-kept'; readonly number: number; readonly error?: PlainThrown }
)

export type FromThread = { readonly run: number } & (
  | Report
  | {
      readonly type: 'artifact'
      readonly number: number
      readonly name: string
      readonly content: Uint8Array | string
      readonly mediaType?: string
    }
  | { readonly type: 'returned'; readonly result: unknown }
  | { readonly type: 'threw'; readonly error: PlainThrown; readonly isAbortReason: boolean }
)

/** Told without waiting for an answer. */
export type Report =
  | { readonly type: 'progress'; readonly fraction: number; readonly message?: string }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }
  | { readonly type: 'metric'; readonly name: string; readonly step: number; readonly value: number }
