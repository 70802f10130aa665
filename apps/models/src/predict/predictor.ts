import { createHash, hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { type ArtifactStore, FileCache, parseArtifactId } from '@headrace/artifacts'
import { type AskOptions, type DeployedModel, ModelError, ModelPool, type Question } from '@headrace/inference'
import type { PredictAnswer } from '@headrace/wire'
import type { ModelRecord, Registry } from '../registry/registry.ts'
import type { ImageSource } from './question.ts'

/** Of models that lie on this machine as files. */
const CACHE_BYTES_MAX = 8_000_000_000
const IMAGE_BYTES_MAX = 50_000_000

type Version = Pick<ModelRecord, 'manifest' | 'artifact'>

/** Answers questions to models of the registry, each loaded in this process when it is first asked. */
export class Predictor {
  readonly artifacts: ArtifactStore
  readonly registry: Registry
  readonly #cache: FileCache
  readonly #pool = new ModelPool()

  constructor(artifacts: ArtifactStore, registry: Registry, cacheDir: string) {
    this.artifacts = artifacts
    this.registry = registry
    this.#cache = new FileCache(artifacts, cacheDir, CACHE_BYTES_MAX)
  }

  /** @throws {ModelError} */
  async ask(
    { model, version }: { readonly model: string; readonly version?: string | undefined },
    question: Question,
    options: AskOptions = {},
  ): Promise<PredictAnswer> {
    const record = await this.registry.find(model, version)
    const deployed = await this.load(record)
    const { predictions, timing } = await deployed.ask(question, options)
    return { model, version: record.manifest.version, predictions, timing }
  }

  /** @param path where the file lies, before it is an artifact. @throws {ModelError} what is wrong with the model */
  load(version: Version, path?: string): Promise<DeployedModel> {
    return this.#pool.get(poolKey(version), version.manifest, async () => {
      if (path !== undefined) return { path, [Symbol.dispose]: () => undefined }
      const { artifact } = version
      const held = await this.#cache.hold([artifact])
      return { path: held.paths[artifact] as string, [Symbol.dispose]: () => held[Symbol.dispose]() } // sound: it holds it
    })
  }

  loaded(version: Version): DeployedModel | undefined {
    return this.#pool.loaded(poolKey(version))
  }

  /** Answers what it has taken on, then gives its memory back. */
  unload(version: Version): Promise<void> {
    return this.#pool.unload(poolKey(version))
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  async artifactOf(path: string): Promise<string> {
    const digest = createHash('sha256')
    await pipeline(createReadStream(path), digest)
    return `sha256:${digest.digest('hex')}`
  }

  /** @throws {ModelError} `model_image_invalid` where there is no such artifact */
  async image(source: ImageSource): Promise<Uint8Array> {
    if ('base64' in source) return Buffer.from(source.base64, 'base64')
    const id = parseArtifactId(source.artifact)
    const stat = await this.artifacts.stat(id)
    if (stat === undefined)
      throw new ModelError(
        'model_image_invalid',
        `There is no artifact ${id}. Upload the picture first, or send it along.`,
      )
    if (stat.sizeBytes > IMAGE_BYTES_MAX)
      throw new ModelError(
        'model_image_invalid',
        `The picture ${id} has ${stat.sizeBytes} bytes; at most ${IMAGE_BYTES_MAX} are taken.`,
      )
    return this.artifacts.readBytes(id, { sizeBytesMax: IMAGE_BYTES_MAX })
  }
}

/** By manifest, for a long list of labels is not to be hashed for each request. */
const hashes = new WeakMap<ModelRecord['manifest'], string>()

/** The same file with another manifest is another model. */
function poolKey({ manifest, artifact }: Version): string {
  const known = hashes.get(manifest) ?? hash('sha256', JSON.stringify(manifest))
  hashes.set(manifest, known)
  return `${artifact} ${known}`
}
