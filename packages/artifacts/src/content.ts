import type { ArtifactId } from './artifact-id.ts'
import type { ArtifactContent, ArtifactRange } from './artifact-store.ts'
import { ArtifactRangeInvalidError, ArtifactTooLargeError } from './errors.ts'

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Text is stored as UTF-8; a stream stays one. */
export function toBytes(content: ArtifactContent): Uint8Array | AsyncIterable<Uint8Array> {
  return typeof content === 'string' ? Buffer.from(content) : content
}

/** The chunks of `source`, cut off with the signal's reason even while the source keeps silent. */
export async function* untilAborted(source: Chunks, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  let isDone = false
  try {
    while (!isDone) {
      const next = await orAborted(Promise.resolve(iterator.next()), signal)
      if (!next.done) yield asBytes(next.value)
      isDone = next.done ?? false
    }
  } finally {
    // Not awaited: a source that hangs would hold up its own abort.
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => undefined)
  }
}

/** Listens anew for each promise; one long-lived promise in `Promise.race` would remember every chunk. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** A Node stream that was given an encoding yields strings, whatever its type says. */
function asBytes(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

export function checkSize(sizeBytes: number, sizeBytesMax: number | undefined): void {
  if (sizeBytesMax !== undefined && sizeBytes > sizeBytesMax) throw new ArtifactTooLargeError(sizeBytesMax)
}

export function resolveRange(id: ArtifactId, range: ArtifactRange | undefined, sizeBytes: number) {
  const { start, end = sizeBytes } = range ?? { start: 0 }
  const isRange = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= sizeBytes && start <= end
  if (!isRange) throw new ArtifactRangeInvalidError(id, { start, end }, sizeBytes)
  return { start, end: Math.min(end, sizeBytes) }
}
