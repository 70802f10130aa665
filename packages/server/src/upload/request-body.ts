import type { Readable } from 'node:stream'

/**
 * A request's body, read chunk by chunk as it is asked for, that leaves the connection as it is when its reader stops early,
 * so that the client still gets an answer.
 * @param signal fires when the server closes: an upload is cut off then, for its client to resume
 */
export function requestBody(raw: Readable, signal: AbortSignal): ReadableStream<Uint8Array> {
  const iterator = raw.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await orAborted(iterator.next(), signal)
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await iterator.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort))
}
