import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ModelError } from '@headrace/inference'

/** A file on this machine that nothing is kept of yet. */
export type Spooled = { readonly path: string; readonly sizeBytes: number }

const FILES = ['model', 'weights'] as const
type FileName = (typeof FILES)[number]

export function isFile(name: string): name is FileName {
  return (FILES as readonly string[]).includes(name)
}

export type GivenOptions = {
  /** Where the files lie while they are looked at. */
  readonly spoolDir: string
  /** Of each. */
  readonly sizeBytesMax: number
}

/** What came of a model that is to be deployed, as it came; its files are gone when it is disposed of. */
export class Given implements AsyncDisposable {
  manifest: unknown
  readonly spoolDir: string
  readonly sizeBytesMax: number
  readonly #files = new Map<FileName, Spooled>()
  readonly #paths: string[] = []

  constructor({ spoolDir, sizeBytesMax }: GivenOptions) {
    this.spoolDir = spoolDir
    this.sizeBytesMax = sizeBytesMax
  }

  has(name: FileName): boolean {
    return this.#files.has(name)
  }

  /** @throws {ModelError} `model_too_large` */
  async take(name: FileName, content: AsyncIterable<Uint8Array>): Promise<void> {
    await mkdir(this.spoolDir, { recursive: true, mode: 0o700 })
    const path = this.newPath()
    let sizeBytes = 0
    const { sizeBytesMax } = this
    const count = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        sizeBytes += chunk.byteLength
        done(sizeBytes > sizeBytesMax ? tooLarge(sizeBytesMax) : null, chunk)
      },
    })
    await pipeline(content, count, createWriteStream(path, { mode: 0o600 }))
    this.#files.set(name, { path, sizeBytes })
  }

  /** For another file that is to be gone with these. */
  newPath(): string {
    const path = join(this.spoolDir, `${randomUUID()}.onnx`)
    this.#paths.push(path)
    return path
  }

  file(name: FileName): Spooled | undefined {
    return this.#files.get(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#paths.map((path) => rm(path, { force: true })))
  }
}

export function uploadInvalid(what: string): ModelError {
  return new ModelError(
    'model_upload_invalid',
    `${what}. Send the parts "manifest" (JSON), "model" (the .onnx file) and, where the manifest names one, "weights" (the .safetensors file) as ` +
      'multipart/form-data, or {"manifest": …, "artifact": "sha256:…", "weights": "sha256:…"} for files that were uploaded before.',
  )
}

function tooLarge(sizeBytesMax: number): ModelError {
  return new ModelError(
    'model_too_large',
    `The model file has more than the ${sizeBytesMax} bytes taken here. Quantise the model, or leave out what inference does not need.`,
  )
}
