// What the threads of thread-executor.test.ts run.
import { threadId } from 'node:worker_threads'
import type { ThreadJob } from './thread-job.ts'

export default function identity(input: unknown): unknown {
  return input
}

export function whereAmI(): number {
  return threadId
}

export async function tellAll(_: null, job: ThreadJob): Promise<object> {
  job.progress(0.4, 'epoch 4 of 10')
  job.metric('loss', 4, 0.31)
  job.log('debug', 'hm')
  job.progress(1)
  return { id: job.id, attempt: job.attempt, task: job.task }
}

/** Waits until it is aborted, and ends with the reason. */
export function waitForAbort(_: null, job: ThreadJob): Promise<never> {
  return new Promise((_, reject) => {
    job.signal.addEventListener('abort', () => reject(job.signal.reason))
    job.log('info', `ready in ${threadId}`)
  })
}

/** CPU work that never yields to its event loop, and looks at its signal now and then. */
export function computeUntilAborted(_: null, job: ThreadJob): void {
  job.log('info', 'ready')
  for (;;) job.signal.throwIfAborted()
}

/** CPU work that looks at nothing. */
export function computeForEver(_: null, job: ThreadJob): void {
  job.log('info', 'ready')
  for (;;);
}

export function exitItself(): void {
  process.exit(3)
}

export function failLater(): Promise<never> {
  setImmediate(() => {
    throw new RangeError('nobody catches this')
  })
  return new Promise(() => undefined)
}

export function fillMemory(): never {
  const rows: number[][] = []
  for (;;) rows.push(new Array<number>(10_000).fill(rows.length))
}

export function fail(input: { retryable?: boolean }): never {
  const cause = Object.assign(new TypeError('no such band'), { code: 'band_missing' })
  throw Object.assign(new RangeError('the raster is empty', { cause }), { code: 'raster_empty', ...input })
}

export function throwText(): never {
  throw 'plain text'
}

export function returnFunction(): unknown {
  return () => 1
}

export async function makeArtifact(_: null, job: ThreadJob): Promise<string> {
  await job.artifact('mask', new Uint8Array([1, 2, 3]), 'application/octet-stream')
  return 'kept'
}

export async function makeArtifactOrElse(_: null, job: ThreadJob): Promise<string> {
  return job.artifact('mask', 'text').then(
    () => 'kept',
    (error: Error & { code: string }) => `${error.name} ${error.code}: ${error.message}`,
  )
}

export function makeArtifactInPassing(_: null, job: ThreadJob): string {
  void job.artifact('mask', 'text')
  return 'returned'
}

/** Counts in memory that it shares with the test how many lines it has logged. */
export function logMany(count: Int32Array, job: ThreadJob): void {
  for (let line = 0; line < 20_000; line++) {
    job.log('info', String(line))
    Atomics.add(count, 0, 1)
  }
}
