import { createHash } from 'node:crypto'
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream'
import { type ArtifactId, artifactIdOfHex } from './artifact-id.ts'

/**
 * Passes `source` on, one chunk late, and ends only if its hash is `expected`; else it fails with what `onMismatch`
 * gives, and the last chunk is never passed on. So a response with a Content-Length comes out short, not wrong.
 */
export function verifying(source: Readable, expected: ArtifactId, onMismatch: () => Promise<Error>): Readable {
  const verified = new VerifyingTransform(expected, onMismatch)
  // The error reaches the reader through `verified` itself; pipeline only ties the two streams' lives together.
  return pipeline(source, verified, () => undefined)
}

class VerifyingTransform extends Transform {
  readonly #hash = createHash('sha256')
  readonly #expected: ArtifactId
  readonly #onMismatch: () => Promise<Error>
  #held: Uint8Array | undefined

  constructor(expected: ArtifactId, onMismatch: () => Promise<Error>) {
    super()
    this.#expected = expected
    this.#onMismatch = onMismatch
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#hash.update(chunk)
    const previous = this.#held
    this.#held = chunk
    callback(null, previous)
  }

  override _flush(callback: TransformCallback): void {
    if (artifactIdOfHex(this.#hash.digest('hex')) === this.#expected) callback(null, this.#held)
    else this.#onMismatch().then(callback, callback)
  }
}
