import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArtifactId } from './artifact-id.ts'
import type { ArtifactStore } from './artifact-store.ts'

/** Paths of artifacts that lie on this machine until it is disposed of. */
export type HeldFiles = Disposable & { readonly paths: { readonly [artifact: string]: string } }

const BYTES_MAX = 2_000_000_000

/**
 * Artifacts as files on this machine, for threads and libraries that read a path: wherever they are stored, each is fetched
 * once, and the ones not used for longest make room. Removing the folder loses nothing.
 */
export class FileCache {
  readonly #artifacts: ArtifactStore
  readonly #folder: string
  readonly #bytesMax: number
  readonly #fetching = new Map<string, Promise<string>>()
  readonly #holds = new Map<string, number>()

  constructor(artifacts: ArtifactStore, folder: string, bytesMax = BYTES_MAX) {
    this.#artifacts = artifacts
    this.#folder = folder
    this.#bytesMax = bytesMax
  }

  /** @throws {ArtifactNotFoundError} {ArtifactCorruptError} */
  async hold(ids: readonly string[]): Promise<HeldFiles> {
    for (const id of ids) this.#holds.set(id, (this.#holds.get(id) ?? 0) + 1)
    try {
      const paths: Record<string, string> = {}
      for (const id of ids) paths[id] = await this.#pathOf(id)
      return { paths, [Symbol.dispose]: () => this.#release(ids) }
    } catch (error) {
      this.#release(ids)
      throw error
    }
  }

  #release(ids: readonly string[]): void {
    for (const id of ids) {
      const left = (this.#holds.get(id) ?? 1) - 1
      if (left > 0) this.#holds.set(id, left)
      else this.#holds.delete(id)
    }
  }

  #pathOf(id: string): Promise<string> {
    const fetching = this.#fetching.get(id) ?? this.#fetch(id)
    this.#fetching.set(id, fetching)
    return fetching.finally(() => this.#fetching.delete(id))
  }

  async #fetch(id: string): Promise<string> {
    const path = join(this.#folder, parseArtifactId(id).slice('sha256:'.length))
    const now = new Date()
    const isHere = await utimes(path, now, now).then(
      () => true,
      () => false,
    ) // not here: it is fetched
    if (isHere) return path
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const part = `${path}.${randomUUID()}.part`
    try {
      await pipeline(await this.#artifacts.read(parseArtifactId(id)), createWriteStream(part, { mode: 0o600 }))
      await rename(part, path)
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
    await this.#makeRoom()
    return path
  }

  async #makeRoom(): Promise<void> {
    const files = await Promise.all(
      (await readdir(this.#folder)).map(async (name) => {
        const path = join(this.#folder, name)
        const found = await stat(path).catch(() => undefined) // another process made room meanwhile
        return { path, id: `sha256:${name}`, bytes: found?.size ?? 0, usedAt: found?.mtimeMs ?? 0 }
      }),
    )
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    for (const file of files.sort((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= this.#bytesMax) return
      if (this.#holds.has(file.id)) continue
      await rm(file.path, { force: true })
      bytes -= file.bytes
    }
  }
}
