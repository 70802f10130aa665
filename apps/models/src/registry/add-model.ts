import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ModelError, type ModelManifest, parseManifest } from '@headrace/inference'
import type { Predictor } from '../predict/predictor.ts'
import type { ModelRecord } from './registry.ts'

/** A model file on this machine that nothing is kept of yet. */
export type Spooled = AsyncDisposable & { readonly path: string; readonly sizeBytes: number }

/**
 * Takes a model file in, to be looked at before it is stored.
 * @throws {ModelError} `model_too_large`; nothing is left behind
 */
export async function spoolModel(
  content: AsyncIterable<Uint8Array>,
  { folder, sizeBytesMax }: { readonly folder: string; readonly sizeBytesMax: number },
): Promise<Spooled> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${randomUUID()}.onnx`)
  let sizeBytes = 0
  const count = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      sizeBytes += chunk.byteLength
      done(sizeBytes > sizeBytesMax ? tooLarge(sizeBytesMax) : null, chunk)
    },
  })
  const remove = () => rm(path, { force: true })
  try {
    await pipeline(content, count, createWriteStream(path, { mode: 0o600 }))
  } catch (error) {
    await remove()
    throw error
  }
  return { path, sizeBytes, [Symbol.asyncDispose]: remove }
}

/**
 * Checks a model against its manifest, loads it and runs it once; only then it is stored, and its version is there for all.
 * @throws {ModelError} what is wrong; nothing is stored
 */
export async function addModel(
  given: { readonly manifest: unknown; readonly file: Spooled; readonly addedBy: string },
  predictor: Predictor,
): Promise<{ readonly record: ModelRecord; readonly outcome: 'added' | 'existing' }> {
  const { file, addedBy } = given
  const manifest: ModelManifest = parseManifest(given.manifest)
  const artifact = await predictor.artifactOf(file.path)
  await predictor.registry.refuseOther(manifest, artifact)
  await predictor.load({ manifest, artifact }, file.path)
  await predictor.artifacts.put(createReadStream(file.path))
  const record = { manifest, artifact, sizeBytes: file.sizeBytes, addedAt: new Date().toISOString(), addedBy }
  return { record, outcome: await predictor.registry.add(record) }
}

function tooLarge(sizeBytesMax: number): ModelError {
  return new ModelError(
    'model_too_large',
    `The model file has more than the ${sizeBytesMax} bytes taken here. Quantise the model, or leave out what inference does not need.`,
  )
}
