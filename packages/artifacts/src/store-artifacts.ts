import { hash } from 'node:crypto'
import { hostname } from 'node:os'
import type { Readable } from 'node:stream'
import { type ArtifactPlace, Removals, type Store } from '@headrace/engine'
import type { ArtifactId } from './artifact-id.ts'
import type {
  ArtifactContent,
  ArtifactRange,
  ArtifactStore,
  ListedArtifact,
  PutOptions,
  StoredArtifact,
} from './artifact-store.ts'
import { ArtifactStoreUnavailableError } from './errors.ts'

/** A note that was made after a put had looked for one removes nothing before a minute has passed; with some to spare. */
const KEPT_WITHIN_MS = 45_000

/**
 * The artifacts of one store of jobs: what it puts is not removed from under it, and others that use the same place are
 * known, so that what nothing names can be removed. Leaves word in the place that this store uses it.
 * @example
 * const artifacts = await openStoreArtifacts(await openArtifacts('/var/lib/headrace/artifacts'), store)
 * const engine = createEngine({ store, artifacts, tasks })
 */
export async function openStoreArtifacts(artifacts: ArtifactStore, store: Store): Promise<StoreArtifacts> {
  const user = hash('sha256', await store.identity()).slice(0, 32)
  if (!(await artifacts.users()).includes(user)) await artifacts.addUser(user, aboutUser(store))
  return new StoreArtifacts(artifacts, store, user)
}

export class StoreArtifacts implements ArtifactStore, ArtifactPlace {
  readonly #artifacts: ArtifactStore
  readonly #removals: Removals
  readonly #user: string

  constructor(artifacts: ArtifactStore, store: Pick<Store, 'settings' | 'clock'>, user: string) {
    this.#artifacts = artifacts
    this.#removals = new Removals(store)
    this.#user = user
  }

  async put(content: ArtifactContent, options: PutOptions = {}): Promise<StoredArtifact> {
    let lookedAt = 0
    const beforeKept = async (id: ArtifactId) => {
      await options.beforeKept?.(id)
      lookedAt = performance.now()
      await this.#removals.callOff(id)
    }
    const stored = await this.#artifacts.put(content, { ...options, beforeKept })
    if (performance.now() - lookedAt > KEPT_WITHIN_MS) await this.#requireKept(stored.id)
    return stored
  }

  read(id: ArtifactId, range?: ArtifactRange): Promise<Readable> {
    return this.#artifacts.read(id, range)
  }

  readBytes(id: ArtifactId, options?: { sizeBytesMax?: number | undefined }): Promise<Uint8Array> {
    return this.#artifacts.readBytes(id, options)
  }

  stat(id: ArtifactId): Promise<{ readonly sizeBytes: number } | undefined> {
    return this.#artifacts.stat(id)
  }

  has(id: ArtifactId): Promise<boolean> {
    return this.#artifacts.has(id)
  }

  delete(id: ArtifactId): Promise<boolean> {
    return this.#artifacts.delete(id)
  }

  list(): AsyncIterable<ListedArtifact> {
    return this.#artifacts.list()
  }

  addUser(user: string, about: string): Promise<void> {
    return this.#artifacts.addUser(user, about)
  }

  users(): Promise<readonly string[]> {
    return this.#artifacts.users()
  }

  async otherUsers(): Promise<readonly string[]> {
    return (await this.#artifacts.users()).filter((user) => user !== this.#user)
  }

  /** After a put that took long: what it put may have been noted and removed meanwhile. */
  async #requireKept(id: ArtifactId): Promise<void> {
    await this.#removals.callOff(id)
    if (await this.#artifacts.has(id)) return
    const why = `it took more than ${KEPT_WITHIN_MS / 1_000} s to put ${id}, which was removed meanwhile`
    throw new ArtifactStoreUnavailableError('of the jobs', why, { cause: undefined })
  }
}

function aboutUser({ name }: Store): string {
  const lines = [
    `A Headrace store (${name}) uses the artifacts beside this folder; it was first opened on ${hostname()}, ${new Date().toISOString()}.`,
    'Where several do, none removes what nothing names. Remove this file when that store is no more.',
  ]
  return `${lines.join('\n')}\n`
}
