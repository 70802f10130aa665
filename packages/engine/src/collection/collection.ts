import type { Clock } from '../clock/clock.ts'
import { forgetArtifactOwners } from '../payload/artifact-owners.ts'
import { rowsAfter, STEP } from '../retention/step-size.ts'
import type { Store } from '../store/store.ts'
import { artifactNamesIn } from './artifact-names.ts'
import type { ArtifactPlace, PlacedArtifact } from './artifact-place.ts'
import { NameFilter } from './name-filter.ts'
import { Removals } from './removals.ts'

/** A note counts only after so long, however short the policy: by then a commit that was under way is there to be seen. */
const NOTE_MS_MIN = 60_000
/** Artifacts that one step looks at. */
const LOOKED_AT = 500
/** So many are noted or removed at a time. */
const AT_ONCE = 8

export type ArtifactAmount = { readonly artifacts: number; readonly bytes: number }

export type Collected = {
  /** In a dry run: what would be. */
  readonly removed: ArtifactAmount
  /** Named by nothing, and not for long enough. */
  readonly unnamed: ArtifactAmount
  /** Others that use the same place, whose names this store does not know: nothing was removed. */
  readonly sharedWith?: readonly string[]
}

/** How far a pass has come. */
export type CollectionProgress = {
  /** Names that were read. */
  readonly names: number
  /** Artifacts that were looked at, once all names were read. */
  readonly artifacts: number
  /** It waits for a transaction that was open when it began. */
  readonly isWaiting?: true
}

export type CollectionParts = {
  readonly store: Store
  readonly artifacts: ArtifactPlace
  /** How long an artifact is kept after it was put, and after the last name of it has gone. */
  readonly keepMs: number
  /** Names it among others. */
  readonly id: string
  /** Nothing is noted or removed. */
  readonly dryRun?: boolean
}

/**
 * One pass over all artifacts. First every name that the store holds goes into a filter; then each artifact that is not in it
 * is noted, or, where it was noted long enough before this pass began, removed. A name that comes meanwhile deletes the note.
 */
export class Collection {
  readonly id: string
  readonly #store: Store
  readonly #clock: Clock
  readonly #artifacts: ArtifactPlace
  readonly #removals: Removals
  readonly #keepMs: number
  readonly #dryRun: boolean
  readonly #filter = new NameFilter()
  readonly #removed = { artifacts: 0, bytes: 0 }
  readonly #unnamed = { artifacts: 0, bytes: 0 }
  #startedAt: number | undefined
  #sharedWith: readonly string[] = []
  #after: string | undefined
  #listing: AsyncIterator<PlacedArtifact> | undefined
  #rows = STEP
  #names = 0
  #lookedAt = 0
  #isWaiting = false

  constructor({ store, artifacts, keepMs, id, dryRun = false }: CollectionParts) {
    this.id = id
    this.#store = store
    this.#clock = store.clock
    this.#artifacts = artifacts
    this.#removals = new Removals(store)
    this.#keepMs = keepMs
    this.#dryRun = dryRun
  }

  get collected(): Collected {
    const counts = { removed: { ...this.#removed }, unnamed: { ...this.#unnamed } }
    return this.#sharedWith.length === 0 ? counts : { ...counts, sharedWith: this.#sharedWith }
  }

  get progress(): CollectionProgress {
    return { names: this.#names, artifacts: this.#lookedAt, ...(this.#isWaiting && { isWaiting: true }) }
  }

  /**
   * A bounded step. `waiting`: something that was begun before this pass is not stored yet; come again in a while.
   * @param rows about so many rows of the store are read
   */
  async step(rows: number): Promise<'more' | 'waiting' | 'done'> {
    const isMarking = this.#startedAt !== undefined && this.#listing === undefined
    if (!isMarking) this.#sharedWith = await this.#artifacts.otherUsers()
    if (this.#sharedWith.length > 0) return this.#end()
    return this.#listing === undefined ? this.#mark(rows) : this.#sweep(this.#listing)
  }

  /** Lets go of what it holds; there are no more steps. */
  async close(): Promise<void> {
    await this.#listing?.return?.()
  }

  async #mark(rows: number): Promise<'more' | 'waiting'> {
    this.#startedAt ??= this.#clock.now()
    for (let read = 0; read < rows; ) {
      const limit = Math.min(this.#rows, rows - read)
      const begunAt = this.#clock.now()
      const page = await this.#store.artifactNames({ limit, ...(this.#after !== undefined && { after: this.#after }) })
      this.#rows = rowsAfter(this.#rows, this.#clock.now() - begunAt)
      this.#isWaiting = page.next !== undefined && page.next === this.#after
      if (this.#isWaiting) return 'waiting'
      for (const name of page.names) this.#filter.add(name)
      for (const payload of page.payloads) for (const name of await this.#namesWithin(payload)) this.#filter.add(name)
      this.#names += page.names.length
      read += limit
      this.#after = page.next
      if (page.next === undefined) {
        this.#listing = this.#artifacts.list()[Symbol.asyncIterator]()
        return 'more'
      }
      // A store within this process answers at once; others have their turn in between.
      await new Promise<void>((resolve) => this.#clock.defer(resolve))
    }
    return 'more'
  }

  async #namesWithin(payload: string): Promise<readonly string[]> {
    try {
      return artifactNamesIn(Buffer.from(await this.#artifacts.readBytes(payload)).toString('utf8'))
    } catch (error) {
      // Nobody can read what it names any more.
      const { code } = error as { readonly code?: unknown }
      if (code === 'artifact_not_found' || code === 'artifact_corrupt') return []
      throw error
    }
  }

  async #sweep(listing: AsyncIterator<PlacedArtifact>): Promise<'more' | 'done'> {
    const unnamed: PlacedArtifact[] = []
    let isOver = false
    for (let seen = 0; seen < LOOKED_AT && !isOver; seen++) {
      const next = await listing.next()
      isOver = next.done === true
      if (!isOver) this.#lookedAt++
      if (!next.done && !this.#filter.has(next.value.id)) unnamed.push(next.value)
    }
    for (let first = 0; first < unnamed.length; first += AT_ONCE) {
      await Promise.all(unnamed.slice(first, first + AT_ONCE).map((artifact) => this.#consider(artifact)))
    }
    return isOver ? this.#end() : 'more'
  }

  async #consider(artifact: PlacedArtifact): Promise<void> {
    const { id, sizeBytes, modifiedAt } = artifact
    const notedAt = await this.#removals.notedAt(id)
    if (notedAt === undefined && !this.#dryRun) await this.#removals.note(id)
    const isRipe = notedAt !== undefined && this.#isRipe(notedAt, modifiedAt.getTime())
    if (!isRipe) add(this.#unnamed, sizeBytes)
    else if (this.#dryRun || (await this.#remove(id))) add(this.#removed, sizeBytes)
  }

  #isRipe(notedAt: number, putAt: number): boolean {
    const startedAt = this.#startedAt ?? 0
    return notedAt + Math.max(this.#keepMs, NOTE_MS_MIN) <= startedAt && putAt + this.#keepMs <= startedAt
  }

  #remove(artifact: string): Promise<boolean> {
    return this.#removals.remove(artifact, this.id, async () => {
      await this.#artifacts.delete(artifact)
      await forgetArtifactOwners(this.#store.settings, artifact)
    })
  }

  async #end(): Promise<'done'> {
    await this.close()
    return 'done'
  }
}

function add(amount: { artifacts: number; bytes: number }, sizeBytes: number): void {
  amount.artifacts++
  amount.bytes += sizeBytes
}
