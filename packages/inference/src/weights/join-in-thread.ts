import { Worker } from 'node:worker_threads'
import { ModelError } from '../errors.ts'
import type { FromJoin } from './join-thread.ts'
import type { JoinOptions } from './join-weights.ts'

/**
 * Writes one ONNX file of a graph and of the safetensors file that its manifest names, in a thread of its own.
 * @throws {ModelError} `weights_damaged`, `weights_mismatch`, `model_too_large`, and what is wrong with the graph
 */
export async function joinModelWeights(options: JoinOptions): Promise<void> {
  const thread = new Worker(new URL('./join-thread.ts', import.meta.url), { workerData: options })
  const { refused } = await new Promise<FromJoin>((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', (code) =>
      reject(new Error(`The thread that joins a model and its weights ended with ${code}.`)),
    )
  })
  if (refused !== undefined) throw new ModelError(refused.code, refused.message)
}
