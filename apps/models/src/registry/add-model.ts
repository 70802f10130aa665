import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { joinModelWeights, type ModelManifest, parseManifest } from '@headrace/inference'
import type { Predictor } from '../predict/predictor.ts'
import { type Given, type Spooled, uploadInvalid } from './given.ts'
import type { ModelRecord } from './registry.ts'

/**
 * Checks a model against its manifest, loads it and runs it once; only then it is stored, and its version is there for all.
 * @throws {ModelError} what is wrong; nothing is stored
 */
export async function addModel(
  { given, addedBy }: { readonly given: Given; readonly addedBy: string },
  predictor: Predictor,
): Promise<{ readonly record: ModelRecord; readonly outcome: 'added' | 'existing' }> {
  if (given.manifest === undefined) throw uploadInvalid('There is no manifest')
  const manifest = parseManifest(given.manifest)
  const file = await wholeModel(given, manifest)
  const artifact = await predictor.artifactOf(file.path)
  await predictor.registry.refuseOther(manifest, artifact)
  await predictor.load({ manifest, artifact }, file.path)
  await predictor.artifacts.put(createReadStream(file.path))
  const record = { manifest, artifact, sizeBytes: file.sizeBytes, addedAt: new Date().toISOString(), addedBy }
  return { record, outcome: await predictor.registry.add(record) }
}

/** One ONNX file: the one that came, or the graph with the weights that came beside it. */
async function wholeModel(given: Given, manifest: ModelManifest): Promise<Spooled> {
  const [model, weights] = [given.file('model'), given.file('weights')]
  if (model === undefined) throw uploadInvalid('There is no model')
  if (weights === undefined) {
    if (manifest.weights === undefined) return model
    throw uploadInvalid(
      `The manifest names the weights ${JSON.stringify(manifest.weights.file)}, and they did not come`,
    )
  }
  if (manifest.weights === undefined)
    throw uploadInvalid('Weights came that the manifest does not name: add "weights": {"file": "….safetensors"} to it')
  const targetPath = given.newPath()
  await joinModelWeights({
    graphPath: model.path,
    weightsPath: weights.path,
    targetPath,
    manifest,
    sizeBytesMax: given.sizeBytesMax,
  })
  return { path: targetPath, sizeBytes: (await stat(targetPath)).size }
}
