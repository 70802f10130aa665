// What the tests of executors share: a request whose events are recorded, and timers that fire when a test says so.
import type { ExecutionEvents, ExecutionRequest, MadeArtifact, Timers } from './execution.ts'

export type RecordedEvent =
  | { type: 'progress'; fraction: number; message: string | undefined }
  | { type: 'log'; level: string; message: string }
  | { type: 'metric'; name: string; step: number; value: number }
  | ({ type: 'artifact' } & MadeArtifact)

/** A request as the engine makes it. `input` and `events` may be set; all else is recorded or in the test's hand. */
export function recordedRequest(
  options: { input?: unknown; events?: Partial<ExecutionEvents>; workDir?: string } = {},
) {
  const recorder = new Recorder()
  const timers = new ManualTimers()
  const abort = new AbortController()
  const request: ExecutionRequest = {
    jobId: 'job-7',
    attempt: 2,
    task: 'example',
    input: options.input ?? null,
    signal: abort.signal,
    graceMs: 5_000,
    timers,
    events: { ...recorder.events, ...options.events },
    ...(options.workDir !== undefined && { workDir: options.workDir }),
  }
  return { request, recorder, timers, abort }
}

export class Recorder {
  readonly all: RecordedEvent[] = []
  readonly #listeners = new Set<() => void>()
  readonly events: ExecutionEvents = {
    progress: (fraction, message) => this.#record({ type: 'progress', fraction, message }),
    log: (level, message) => this.#record({ type: 'log', level, message }),
    metric: (name, step, value) => this.#record({ type: 'metric', name, step, value }),
    artifact: async (artifact) => this.#record({ type: 'artifact', ...artifact }),
  }

  logs(level: string): string[] {
    return this.all.flatMap((event) => (event.type === 'log' && event.level === level ? [event.message] : []))
  }

  /** Resolves with the first log, past or future, that starts so. */
  async logged(start: string): Promise<string> {
    for (;;) {
      const found = this.all.find((event) => event.type === 'log' && event.message.startsWith(start))
      if (found?.type === 'log') return found.message
      await new Promise<void>((resolve) => this.#listeners.add(resolve))
    }
  }

  #record(event: RecordedEvent): void {
    this.all.push(event)
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }
}

/** Time stands still; a timer fires when the test fires it, and not before it is set. */
export class ManualTimers implements Timers {
  readonly #set = new Set<{ delayMs: number; fn: () => void }>()
  #changed = Promise.withResolvers<void>()

  now(): number {
    return 0
  }

  setTimeout(fn: () => void, delayMs: number): { cancel(): void } {
    const timer = { delayMs, fn }
    this.#set.add(timer)
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
    return { cancel: () => this.#set.delete(timer) }
  }

  get setCount(): number {
    return this.#set.size
  }

  /** Waits until a timer of this delay is set, and fires it. */
  async fire(delayMs: number): Promise<void> {
    for (;;) {
      const timer = [...this.#set].find((set) => set.delayMs === delayMs)
      if (timer) {
        this.#set.delete(timer)
        return timer.fn()
      }
      await this.#changed.promise
    }
  }
}
