import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { type ArtifactId, artifactIdOfBytes, artifactIdOfHex, hexOfArtifactId } from '../artifact-id.ts'
import type {
  ArtifactContent,
  ArtifactRange,
  ArtifactStore,
  ListedArtifact,
  PutOptions,
  StoredArtifact,
} from '../artifact-store.ts'
import { checkSize, resolveRange, toBytes, untilAborted } from '../content.ts'
import { ArtifactCorruptError, ArtifactNotFoundError } from '../errors.ts'
import { verifying } from '../verifying.ts'
import { isMissing, toArtifactError } from './s3-error.ts'
import { parseS3Url, type S3Location } from './s3-location.ts'
import { type Spooled, spool } from './spool.ts'

const MIB = 1024 * 1024
const DAY_MS = 86_400_000
const HEX = /^[0-9a-f]{64}$/
/** S3 takes at most 10,000 parts; the last one may be short. */
const PARTS_MAX = 9_000
const PART_BYTES_MIN = 16 * MIB
const PARTS_AT_ONCE = 4
/** Above it S3 copies by parts only. */
const COPY_BYTES_MAX = 5 * 2 ** 30
/** The most that S3 gives at once. */
const PAGE_SIZE = 1_000
const CONNECT_TIMEOUT_MS = 5_000
/** Of silence on a connection. */
const SOCKET_TIMEOUT_MS = 60_000
/** With all its tries. */
const DELETE_TIMEOUT_MS = 25_000

/**
 * Opens a bucket of an S3 server as an artifact store, and looks whether it is there and may be listed. Aborts what
 * multipart uploads of more than a day ago left unfinished.
 *
 * ```
 * <prefix>ab/cd/abcd…          an artifact, named by the 64 hex digits of its hash
 * <prefix>quarantine/abcd…     a damaged one, kept for whoever looks into it
 * <prefix>users/…              an object for each store that names artifacts here
 * ```
 */
export async function openS3Artifacts(url: string, env: NodeJS.ProcessEnv): Promise<ArtifactStore> {
  const artifacts = new S3Artifacts(parseS3Url(url, env))
  await artifacts.prepare()
  return artifacts
}

export class S3Artifacts implements ArtifactStore {
  readonly #location: S3Location
  readonly #spoolDir: string
  readonly #pageSize: number
  readonly #deleteTimeoutMs: number
  readonly #client: S3Client

  /**
   * @param options `spoolDir`: where content larger than 8 MiB lies until it is sent; `pageSize`: of a list, at most 1,000;
   *                `deleteTimeoutMs`: for a delete with all its tries
   */
  constructor(
    location: S3Location,
    options: { readonly spoolDir?: string; readonly pageSize?: number; readonly deleteTimeoutMs?: number } = {},
  ) {
    this.#location = location
    this.#spoolDir = options.spoolDir ?? tmpdir()
    this.#pageSize = options.pageSize ?? PAGE_SIZE
    this.#deleteTimeoutMs = options.deleteTimeoutMs ?? DELETE_TIMEOUT_MS
    this.#client = new S3Client({
      region: location.region,
      forcePathStyle: location.isPathStyle,
      ...(location.endpoint === undefined ? {} : { endpoint: location.endpoint }),
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: SOCKET_TIMEOUT_MS },
      // AWS's newer checksums come as trailers that many other servers do not read; ours is the SHA-256 of each artifact.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  }

  async prepare(): Promise<void> {
    const { bucket, prefix } = this.#location
    await this.#ask(() => this.#client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 })))
    await this.#abortAbandoned()
  }

  async put(content: ArtifactContent, options: PutOptions = {}): Promise<StoredArtifact> {
    const { signal, sizeBytesMax, beforeKept } = options
    signal?.throwIfAborted()
    const bytes = toBytes(content)
    if (bytes instanceof Uint8Array) checkSize(bytes.byteLength, sizeBytesMax)
    const source = untilAborted(bytes instanceof Uint8Array ? [bytes] : bytes, signal)
    await using spooled = await spool(source, { sizeBytesMax, dir: this.#spoolDir })
    const { id, sizeBytes } = spooled
    await beforeKept?.(id)
    if (!(await this.#keep({ id, sizeBytes }, signal))) await this.#send(spooled, signal)
    return { id, sizeBytes }
  }

  async read(id: ArtifactId, range?: ArtifactRange): Promise<Readable> {
    if (range === undefined) return this.#readWhole(id)
    const found = await this.stat(id)
    if (!found) throw new ArtifactNotFoundError(id)
    const { start, end } = resolveRange(id, range, found.sizeBytes)
    if (start === 0 && end === found.sizeBytes) return this.#readWhole(id)
    if (start === end) return Readable.from([])
    const { body } = await this.#get(id, `bytes=${start}-${end - 1}`)
    return body
  }

  async readBytes(id: ArtifactId, options: { sizeBytesMax?: number | undefined } = {}): Promise<Uint8Array> {
    const { body, sizeBytes, etag } = await this.#get(id)
    try {
      checkSize(sizeBytes, options.sizeBytesMax)
    } catch (error) {
      body.destroy()
      throw error
    }
    const bytes = await this.#ask(async () => Buffer.concat(await body.toArray()))
    if (artifactIdOfBytes(bytes) !== id) throw await this.#quarantine(id, etag)
    return bytes
  }

  async stat(id: ArtifactId): Promise<{ readonly sizeBytes: number } | undefined> {
    const found = await this.#head(id)
    return found && { sizeBytes: found.sizeBytes }
  }

  async has(id: ArtifactId): Promise<boolean> {
    return (await this.stat(id)) !== undefined
  }

  /** S3 does not say whether there was something to delete, so it is asked before. */
  async delete(id: ArtifactId): Promise<boolean> {
    const abortSignal = AbortSignal.timeout(this.#deleteTimeoutMs)
    if ((await this.#head(id, abortSignal)) === undefined) return false
    await this.#ask(() => this.#client.send(new DeleteObjectCommand(this.#object(id)), { abortSignal }))
    return true
  }

  async addUser(user: string, about: string): Promise<void> {
    const { bucket, prefix } = this.#location
    const put = new PutObjectCommand({ Bucket: bucket, Key: `${prefix}users/${user}`, Body: about })
    await this.#ask(() => this.#client.send(put))
  }

  async users(): Promise<readonly string[]> {
    const { bucket, prefix } = this.#location
    const folder = `${prefix}users/`
    const list = new ListObjectsV2Command({ Bucket: bucket, Prefix: folder })
    const { Contents = [] } = await this.#ask(() => this.#client.send(list))
    return Contents.map(({ Key = '' }) => Key.slice(folder.length)).filter((user) => user !== '')
  }

  async *list(): AsyncIterable<ListedArtifact> {
    const { bucket, prefix } = this.#location
    const paging = { client: this.#client, pageSize: this.#pageSize }
    const pages = paginateListObjectsV2(paging, { Bucket: bucket, Prefix: prefix })[Symbol.asyncIterator]()
    for (;;) {
      const { done, value: page } = await this.#ask(() => pages.next())
      if (done) return
      for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
        const [outer = '', inner = '', hex = '', ...more] = Key.slice(prefix.length).split('/')
        const isArtifact = HEX.test(hex) && hex.startsWith(outer + inner) && more.length === 0
        if (isArtifact) yield { id: artifactIdOfHex(hex), sizeBytes: Size, modifiedAt: LastModified }
      }
    }
  }

  async #readWhole(id: ArtifactId): Promise<Readable> {
    const { body, etag } = await this.#get(id)
    return verifying(body, id, () => this.#quarantine(id, etag))
  }

  async #get(id: ArtifactId, range?: string) {
    try {
      const command = new GetObjectCommand({ ...this.#object(id), ...(range === undefined ? {} : { Range: range }) })
      const { Body, ContentLength = 0, ETag } = await this.#client.send(command)
      return { body: Body as Readable, sizeBytes: ContentLength, etag: ETag } // sound: in Node the SDK gives a Readable
    } catch (error) {
      throw isMissing(error) ? new ArtifactNotFoundError(id) : toArtifactError(error, this.#location)
    }
  }

  async #head(id: ArtifactId, abortSignal?: AbortSignal) {
    try {
      const head = new HeadObjectCommand(this.#object(id))
      const { ContentLength = 0, ETag } = await this.#client.send(head, abortSignal && { abortSignal })
      return { sizeBytes: ContentLength, etag: ETag }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw toArtifactError(error, this.#location)
    }
  }

  /** Whether it is there already, of the right size; it then counts as put now: S3 renews the time of what is copied onto itself. */
  async #keep({ id, sizeBytes }: StoredArtifact, signal: AbortSignal | undefined): Promise<boolean> {
    if (sizeBytes > COPY_BYTES_MAX || (await this.stat(id))?.sizeBytes !== sizeBytes) return false
    const object = this.#object(id)
    const copy = new CopyObjectCommand({ ...object, CopySource: sourceOf(object), MetadataDirective: 'REPLACE' })
    try {
      await this.#client.send(copy, { ...(signal ? { abortSignal: signal } : {}) })
      return true
    } catch (error) {
      if (isMissing(error)) return false // Deleted in between.
      throw signal?.aborted ? signal.reason : toArtifactError(error, this.#location)
    }
  }

  /** An object of S3 appears whole or not at all, so it is sent straight to its name. */
  async #send(content: Spooled, signal: AbortSignal | undefined): Promise<void> {
    const object = this.#object(content.id)
    const body = content.body()
    try {
      if (body instanceof Uint8Array) {
        const checksum = Buffer.from(hexOfArtifactId(content.id), 'hex').toString('base64')
        const put = new PutObjectCommand({ ...object, Body: body, ChecksumSHA256: checksum })
        await this.#client.send(put, { ...(signal ? { abortSignal: signal } : {}) })
      } else await this.#sendParts(object, body, { sizeBytes: content.sizeBytes, signal })
    } catch (error) {
      throw signal?.aborted ? signal.reason : toArtifactError(error, this.#location)
    }
  }

  async #sendParts(
    object: { readonly Bucket: string; readonly Key: string },
    body: Readable,
    { sizeBytes, signal }: { readonly sizeBytes: number; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    const upload = new Upload({
      client: this.#client,
      params: { ...object, Body: body },
      partSize: Math.max(PART_BYTES_MIN, Math.ceil(sizeBytes / PARTS_MAX)),
      queueSize: PARTS_AT_ONCE,
    })
    const abort = () => void upload.abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await upload.done()
    } finally {
      signal?.removeEventListener('abort', abort)
      body.destroy()
    }
  }

  /** Sets a damaged artifact aside, unless another has taken its place since the one with this `etag` was read. */
  async #quarantine(id: ArtifactId, etag: string | undefined): Promise<Error> {
    const { bucket, prefix } = this.#location
    const aside = `${prefix}quarantine/${hexOfArtifactId(id)}`
    const object = this.#object(id)
    const current = await this.#head(id)
    if (current !== undefined && current.etag === etag) {
      await this.#ask(async () => {
        await this.#client.send(new CopyObjectCommand({ Bucket: bucket, Key: aside, CopySource: sourceOf(object) }))
        // Servers that know no conditional delete ignore the condition; then only this moment is open.
        await this.#client.send(new DeleteObjectCommand({ ...object, IfMatch: etag }))
      })
    }
    return new ArtifactCorruptError(id, `s3://${bucket}/${aside}`)
  }

  /** Parts of an upload that was never completed cost money, and nothing shows them. Not every key may look for them. */
  async #abortAbandoned(): Promise<void> {
    const { bucket, prefix } = this.#location
    try {
      const { Uploads = [] } = await this.#client.send(
        new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }),
      )
      for (const { Key, UploadId, Initiated } of Uploads) {
        if (!Initiated || Date.now() - Initiated.getTime() < DAY_MS) continue
        await this.#client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
      }
    } catch {
      // A lifecycle rule of the bucket does the same; the store works without.
    }
  }

  #object(id: ArtifactId): { readonly Bucket: string; readonly Key: string } {
    const hex = hexOfArtifactId(id)
    const { bucket, prefix } = this.#location
    return { Bucket: bucket, Key: `${prefix}${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}` }
  }

  async #ask<Value>(run: () => Promise<Value>): Promise<Value> {
    try {
      return await run()
    } catch (error) {
      throw toArtifactError(error, this.#location)
    }
  }
}

function sourceOf({ Bucket, Key }: { readonly Bucket: string; readonly Key: string }): string {
  return encodeURI(`${Bucket}/${Key}`)
}
