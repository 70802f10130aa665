import { AsyncLocalStorage } from 'node:async_hooks'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type Clock, noteArtifactOwner, type Settings } from '@headrace/engine'
import { DataStore, ERRORS, Upload } from '@tus/server'
import type { ArtifactStorage } from '../artifact/artifact-source.ts'
import { beginHash, checksumMismatch, type UploadChecksum } from './upload-checksum.ts'
import { problemOfStorage, uploadDiskFull } from './upload-problem.ts'
import { deleteUpload, listUploads, readUpload, type UploadRecord, writeUpload } from './upload-record.ts'

export type UploadStoreOptions = {
  /** Where unfinished uploads lie, one file each. */
  readonly dir: string
  readonly settings: Settings
  readonly clock: Clock
  readonly artifacts: ArtifactStorage
  readonly sizeBytesMax: number
  /** After so long without a byte an unfinished upload is removed; and as long is told of a finished one. */
  readonly expireMs: number
}

/** What the library does not hand on from the request to the store. */
export type UploadRequest = {
  readonly id: string
  readonly owner: string
  readonly checksum?: UploadChecksum | undefined
  /** What the library was thrown, before it made an answer of it. */
  fault?: unknown
}

export type UploadProgress = UploadRecord & { readonly receivedBytes: number; readonly expiresAtMs: number }

/**
 * Uploads as tus sees them. Bytes are appended to `<dir>/<id>`, whose size is the offset, so that a crash leaves nothing
 * to repair; an answer is given only once they are on the disk. When all are there they become an artifact, and the file goes.
 */
export class UploadStore extends DataStore {
  /** The request in whose name the library calls. */
  static readonly request = new AsyncLocalStorage<UploadRequest>()

  readonly #options: UploadStoreOptions
  /** Uploads that are being made artifacts, so that each is stored once. */
  readonly #storing = new Map<string, Promise<UploadRecord>>()

  constructor(options: UploadStoreOptions) {
    super()
    this.#options = options
    this.extensions = [
      'creation',
      'creation-with-upload',
      'creation-defer-length',
      'expiration',
      'termination',
      'checksum',
    ]
  }

  async prepare(): Promise<void> {
    await mkdir(this.#options.dir, { recursive: true, mode: 0o700 })
  }

  override async create(upload: Upload): Promise<Upload> {
    const { clock, settings } = this.#options
    await this.#requireRoom(upload.size ?? 0)
    const owner = UploadStore.request.getStore()?.owner
    if (owner === undefined) throw new Error('an upload was created outside of a request')
    await using file = await failingAsFull(() => open(this.#path(upload.id), 'wx', 0o600))
    await file.sync()
    await writeUpload(settings, {
      id: upload.id,
      owner,
      metadata: upload.metadata ?? {},
      createdAtMs: clock.now(),
      ...(upload.size === undefined ? {} : { sizeBytes: upload.size }),
    })
    return upload
  }

  /** Appends what arrives. What was written before the source failed is kept, unless a checksum vouches for it. */
  override async write(source: Readable, id: string, offset: number): Promise<number> {
    const checksum = UploadStore.request.getStore()?.checksum
    const hash = beginHash(checksum)
    await using file = await unlessMissing(open(this.#path(id), 'r+'))
    if (!file) return offset // It is an artifact already, and the library takes no byte beyond its end.
    let end = offset
    try {
      for await (const chunk of source as AsyncIterable<Uint8Array>) {
        hash?.update(chunk)
        await failingAsFull(() => writeWhole(file, chunk, end))
        end += chunk.byteLength
      }
    } catch (error) {
      await file.truncate(checksum ? offset : end)
      throw error
    }
    if (checksum && !hash?.digest().equals(checksum.digest)) {
      await file.truncate(offset)
      throw checksumMismatch()
    }
    await file.sync()
    return end
  }

  override async getUpload(id: string): Promise<Upload> {
    const found = await this.progress(id)
    if (!found) throw ERRORS.FILE_NO_LONGER_EXISTS
    const { sizeBytes, metadata, receivedBytes, expiresAtMs } = found
    return new Upload({
      id,
      size: sizeBytes as number, // sound: the library takes undefined for a size that is not known yet
      offset: receivedBytes,
      metadata: { ...metadata },
      // The library counts from creation; here an upload that goes on does not expire.
      creation_date: new Date(expiresAtMs - this.#options.expireMs).toISOString(),
    })
  }

  override async declareUploadLength(id: string, sizeBytes: number): Promise<void> {
    const { settings } = this.#options
    const record = await readUpload(settings, id)
    if (!record) throw ERRORS.FILE_NOT_FOUND
    await this.#requireRoom(sizeBytes)
    await writeUpload(settings, { ...record, sizeBytes })
  }

  override async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true })
    await deleteUpload(this.#options.settings, id)
  }

  override getExpiration(): number {
    return this.#options.expireMs
  }

  record(id: string): Promise<UploadRecord | undefined> {
    return readUpload(this.#options.settings, id)
  }

  /** Undefined when there is no such upload, or its bytes are gone. */
  async progress(id: string): Promise<UploadProgress | undefined> {
    const { expireMs, settings } = this.#options
    const record = await readUpload(settings, id)
    if (record?.stored) {
      return { ...record, receivedBytes: record.sizeBytes ?? 0, expiresAtMs: record.stored.atMs + expireMs }
    }
    const file = record && (await unlessMissing(stat(this.#path(id))))
    return file && { ...record, receivedBytes: file.size, expiresAtMs: file.mtimeMs + expireMs }
  }

  /**
   * Makes an artifact of an upload whose bytes are all there; once, however often it is asked for.
   * @throws {HttpProblem} when the artifact store is full or does not answer; the upload stays as it is, to be finished later
   */
  finish(id: string): Promise<UploadRecord> {
    const storing = this.#storing.get(id) ?? this.#store(id).finally(() => this.#storing.delete(id))
    this.#storing.set(id, storing)
    return storing
  }

  /** Removes unfinished uploads that have had no byte for long, and forgets finished ones of long ago. */
  override async deleteExpired(): Promise<number> {
    const { dir, clock, settings, expireMs } = this.#options
    const before = clock.now() - expireMs
    let count = 0
    for (const record of await listUploads(settings)) {
      const progress = await this.progress(record.id)
      if (progress && progress.expiresAtMs > clock.now()) continue
      // Its bytes may be on another server's disk; that one removes both when their time has come.
      if (!progress && record.createdAtMs > before) continue
      await this.remove(record.id)
      count++
    }
    for (const name of await readdir(dir)) {
      const file = await unlessMissing(stat(join(dir, name)))
      if (file && file.mtimeMs < before) await rm(join(dir, name), { force: true })
    }
    return count
  }

  async #store(id: string): Promise<UploadRecord> {
    const { artifacts, clock, settings, sizeBytesMax } = this.#options
    const record = await readUpload(settings, id)
    if (!record) throw ERRORS.FILE_NOT_FOUND
    if (record.stored) return record
    try {
      const { id: artifact, sizeBytes } = await artifacts.put(createReadStream(this.#path(id)))
      const stored = { ...record, sizeBytes, stored: { artifact, atMs: clock.now() } }
      await noteArtifactOwner(settings, artifact, record.owner)
      await writeUpload(settings, stored)
      await rm(this.#path(id), { force: true })
      return stored
    } catch (error) {
      throw problemOfStorage(error, sizeBytesMax)
    }
  }

  async #requireRoom(sizeBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#options.dir)
    if (sizeBytes > bavail * bsize) throw uploadDiskFull()
  }

  #path(id: string): string {
    return join(this.#options.dir, id)
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let offset = 0
  while (offset < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, offset, bytes.byteLength - offset, position + offset)
    offset += bytesWritten
  }
}

async function failingAsFull<Value>(run: () => Promise<Value>): Promise<Value> {
  try {
    return await run()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ENOSPC' || code === 'EDQUOT' ? uploadDiskFull({ cause: error }) : error
  }
}

async function unlessMissing<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  try {
    return await promise
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
