import { type Engine, type JobId, WaitTimeoutError } from '@headrace/engine'
import type { FastifyReply } from 'fastify'

/** Waits for a job's end, but no longer than this; false when it goes on. Ends with an error when the client leaves. */
export async function waitForEnd(
  engine: Engine,
  id: JobId,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    await engine.wait(id, options)
    return true
  } catch (error) {
    if (error instanceof WaitTimeoutError) return false
    throw error
  }
}

/** Fires when the client has gone, or the server goes. */
export function gone(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const left = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) left.abort(new ClientLeftError())
  })
  return AbortSignal.any([left.signal, closing])
}

/** Nobody is there to read the answer; the job that was waited for goes on. */
class ClientLeftError extends Error {
  override readonly name = 'ClientLeftError'
  readonly statusCode = 499
  constructor() {
    super('The client closed the connection.')
  }
}
