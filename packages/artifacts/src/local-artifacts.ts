import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, opendir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { type ArtifactId, artifactIdOfBytes, artifactIdOfHex, hexOfArtifactId } from './artifact-id.ts'
import type {
  ArtifactContent,
  ArtifactRange,
  ArtifactStore,
  ListedArtifact,
  PutOptions,
  StoredArtifact,
} from './artifact-store.ts'
import { type Chunks, checkSize, resolveRange, toBytes, untilAborted } from './content.ts'
import { ArtifactCorruptError, ArtifactNotFoundError, ArtifactStoreFullError } from './errors.ts'
import { verifying } from './verifying.ts'

const DAY_MS = 86_400_000
const FAN_OUT = /^[0-9a-f]{2}$/
const HEX = /^[0-9a-f]{64}$/

/**
 * Opens, and makes where it is missing, an artifact store in a local folder. Many processes may use one folder at once.
 * Removes what puts of more than a day ago left unfinished. Errors of the file system other than a full one pass unchanged.
 *
 * ```
 * <dir>/ab/cd/abcd…       an artifact, named by the 64 hex digits of its hash
 * <dir>/tmp/              puts that are under way, or were cut off by a crash
 * <dir>/quarantine/       damaged artifacts, kept for whoever looks into it
 * <dir>/users/            a file for each store that names artifacts here
 * ```
 * @example
 * const artifacts = await openLocalArtifacts('/var/lib/headrace/artifacts')
 * const { id } = await artifacts.put('hello')
 * Buffer.from(await artifacts.readBytes(id)).toString() // 'hello'
 */
export async function openLocalArtifacts(dir: string): Promise<ArtifactStore> {
  const artifacts = new LocalArtifacts(dir, open)
  await artifacts.prepare()
  return artifacts
}

/** `openFile` stands for `open` of node:fs/promises, so that a test can play a disk that fails. */
export class LocalArtifacts implements ArtifactStore {
  readonly #dir: string
  readonly #openFile: typeof open

  constructor(dir: string, openFile: typeof open) {
    this.#dir = dir
    this.#openFile = openFile
  }

  async prepare(): Promise<void> {
    await mkdir(this.#tmp, { recursive: true })
    await this.#removeAbandoned()
  }

  async put(content: ArtifactContent, options: PutOptions = {}): Promise<StoredArtifact> {
    options.signal?.throwIfAborted()
    const bytes = toBytes(content)
    if (bytes instanceof Uint8Array) {
      checkSize(bytes.byteLength, options.sizeBytesMax)
      const there = { id: artifactIdOfBytes(bytes), sizeBytes: bytes.byteLength }
      await options.beforeKept?.(there.id)
      if (await this.#keep(there)) return there
    }
    return this.#store(bytes instanceof Uint8Array ? [bytes] : bytes, options)
  }

  async read(id: ArtifactId, range?: ArtifactRange): Promise<Readable> {
    const file = await this.#open(id)
    try {
      const { size, ino } = await file.stat()
      const { start, end } = resolveRange(id, range, size)
      const isWhole = start === 0 && end === size
      if (isWhole) return verifying(file.createReadStream(), id, () => this.#quarantine(id, ino))
      if (start < end) return file.createReadStream({ start, end: end - 1 })
      await file.close()
      return Readable.from([])
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async readBytes(id: ArtifactId, options: { sizeBytesMax?: number | undefined } = {}): Promise<Uint8Array> {
    await using file = await this.#open(id)
    const { size, ino } = await file.stat()
    checkSize(size, options.sizeBytesMax)
    const bytes = await file.readFile()
    if (artifactIdOfBytes(bytes) !== id) throw await this.#quarantine(id, ino)
    return bytes
  }

  async stat(id: ArtifactId): Promise<{ readonly sizeBytes: number } | undefined> {
    const found = await unlessMissing(stat(this.#path(id)))
    return found && { sizeBytes: found.size }
  }

  async has(id: ArtifactId): Promise<boolean> {
    return (await this.stat(id)) !== undefined
  }

  async delete(id: ArtifactId): Promise<boolean> {
    const path = this.#path(id)
    return (await unlessMissing(rm(path).then(() => true))) ?? false
  }

  async *list(): AsyncIterable<ListedArtifact> {
    for await (const outer of namesIn(this.#dir, FAN_OUT)) {
      for await (const inner of namesIn(join(this.#dir, outer), FAN_OUT)) {
        for await (const hex of namesIn(join(this.#dir, outer, inner), HEX)) {
          const found = await unlessMissing(stat(join(this.#dir, outer, inner, hex)))
          if (found) yield { id: artifactIdOfHex(hex), sizeBytes: found.size, modifiedAt: found.mtime }
        }
      }
    }
  }

  async addUser(user: string, about: string): Promise<void> {
    await mkdir(this.#users, { recursive: true })
    await writeFile(join(this.#users, user), about)
  }

  async users(): Promise<readonly string[]> {
    return Array.fromAsync(namesIn(this.#users))
  }

  get #users(): string {
    return join(this.#dir, 'users')
  }

  get #tmp(): string {
    return join(this.#dir, 'tmp')
  }

  #path(id: ArtifactId): string {
    const hex = hexOfArtifactId(id)
    return join(this.#dir, hex.slice(0, 2), hex.slice(2, 4), hex)
  }

  async #open(id: ArtifactId): Promise<FileHandle> {
    const file = await unlessMissing(this.#openFile(this.#path(id), 'r'))
    if (!file) throw new ArtifactNotFoundError(id)
    return file
  }

  /** Writes a temporary file, flushes it, and only then gives it its name: a crash at any point leaves all or nothing. */
  async #store(chunks: Chunks, options: PutOptions) {
    const tmpPath = join(this.#tmp, randomUUID())
    try {
      const stored = await this.#writeTmp(tmpPath, chunks, options)
      await options.beforeKept?.(stored.id)
      if (!(await this.#keep(stored))) await this.#install(tmpPath, stored.id)
      return stored
    } catch (error) {
      throw isFull(error) ? new ArtifactStoreFullError(this.#dir, { cause: error }) : error
    } finally {
      await rm(tmpPath, { force: true })
    }
  }

  async #writeTmp(tmpPath: string, chunks: Chunks, options: PutOptions): Promise<StoredArtifact> {
    await using file = await this.#openFile(tmpPath, 'wx')
    const hash = createHash('sha256')
    let sizeBytes = 0
    for await (const chunk of untilAborted(chunks, options.signal)) {
      sizeBytes += chunk.byteLength
      checkSize(sizeBytes, options.sizeBytesMax)
      hash.update(chunk)
      await writeWhole(file, chunk)
    }
    await file.sync()
    return { id: artifactIdOfHex(hash.digest('hex')), sizeBytes }
  }

  /**
   * Whether the artifact is there already, of the right size; it then counts as put now. Its folders are flushed
   * all the same: the process that put it may have been about to.
   */
  async #keep({ id, sizeBytes }: StoredArtifact): Promise<boolean> {
    const path = this.#path(id)
    if ((await this.stat(id))?.sizeBytes !== sizeBytes) return false
    const now = new Date()
    const isKept = await unlessMissing(utimes(path, now, now).then(() => true))
    if (isKept) await this.#syncFolders(path)
    return isKept ?? false
  }

  /** Replaces a damaged artifact of the same name, if there is one: this content is the one the name stands for. */
  async #install(tmpPath: string, id: ArtifactId): Promise<void> {
    const path = this.#path(id)
    await mkdir(dirname(path), { recursive: true })
    await rename(tmpPath, path)
    await this.#syncFolders(path)
  }

  async #syncFolders(path: string): Promise<void> {
    const inner = dirname(path)
    for (const folder of [inner, dirname(inner), this.#dir]) await syncFolder(folder)
  }

  /** Sets a damaged artifact aside, unless a good one has taken its place since the file `ino` was read. */
  async #quarantine(id: ArtifactId, ino: number): Promise<ArtifactCorruptError> {
    const path = this.#path(id)
    const aside = join(this.#dir, 'quarantine', hexOfArtifactId(id))
    await mkdir(dirname(aside), { recursive: true })
    const current = await unlessMissing(stat(path))
    if (current?.ino === ino) await unlessMissing(rename(path, aside))
    return new ArtifactCorruptError(id, aside)
  }

  async #removeAbandoned(): Promise<void> {
    for await (const name of namesIn(this.#tmp)) {
      const path = join(this.#tmp, name)
      const found = await unlessMissing(stat(path))
      if (found && Date.now() - found.mtimeMs > DAY_MS) await rm(path, { recursive: true, force: true })
    }
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let offset = 0
  while (offset < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, offset)
    offset += bytesWritten
  }
}

/** A rename is durable only once the folder is flushed. Windows cannot flush a folder, and does not need it. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await using folder = await open(path, 'r')
  await folder.sync()
}

async function* namesIn(dir: string, pattern?: RegExp): AsyncGenerator<string> {
  const entries = await unlessMissing(opendir(dir))
  for await (const entry of entries ?? []) if (!pattern || pattern.test(entry.name)) yield entry.name
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function isFull(error: unknown): boolean {
  return codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT'
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
