// Puts a graph and its weights together in a thread: files of gigabytes would hold up the server's event loop.
import { strict as assert } from 'node:assert'
import { parentPort, workerData } from 'node:worker_threads'
import { ModelError } from '../errors.ts'
import type { PlainError } from '../session/messages.ts'
import { type JoinOptions, joinWeights } from './join-weights.ts'

/** What was refused; nothing where the file is written. Anything else that goes wrong is thrown, and ends the thread. */
export type FromJoin = { readonly refused?: PlainError }

assert(parentPort, 'join-thread.ts runs only as a thread')
parentPort.postMessage(outcome())

function outcome(): FromJoin {
  try {
    joinWeights(workerData as JoinOptions) // sound: only join-in-thread.ts starts this file
    return {}
  } catch (error) {
    if (error instanceof ModelError) return { refused: { code: error.code, message: error.message } }
    throw error
  }
}
