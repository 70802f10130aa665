import type { Clock } from '../clock/clock.ts'
import type { Store } from '../store/store.ts'
import type { ArtifactPlace } from './artifact-place.ts'
import { type Collected, Collection, type CollectionProgress } from './collection.ts'

const NAMESPACE = 'headrace'
const PASS = 'artifact-pass'

/** Between two passes: as long as artifacts are kept, within these. A pass reads everything that the store holds. */
const PASS_EVERY_MS_MIN = 3_600_000
const PASS_EVERY_MS_MAX = 86_400_000
/** Whoever makes a pass says so with each step; after so long without a word, another one begins it anew. */
const PASS_SILENT_MS = 60_000
/** How often somebody with nothing to do looks. */
const LOOK_EVERY_MS = 60_000
/** Between the steps of a pass. */
const STEP_EVERY_MS = 500
/** Rows that a step reads. */
const ROWS = 5_000

/** How far the present pass over the artifacts has come, or what the last one did. */
export type ArtifactPass = Collected & {
  readonly startedAt: number
  /** Of the last step. */
  readonly at: number
  readonly by: string
  readonly progress: CollectionProgress
  readonly endedAt?: number
}

/** Workers collect by turns: one of them makes a pass, alone, for what it has marked is in its memory. */
export class CollectionTurns {
  readonly #store: Store
  readonly #clock: Clock
  readonly #artifacts: ArtifactPlace
  #current: { readonly startedAt: number; readonly by: string; readonly collection: Collection } | undefined

  constructor(store: Store, artifacts: ArtifactPlace) {
    this.#store = store
    this.#clock = store.clock
    this.#artifacts = artifacts
  }

  async pass(): Promise<ArtifactPass | undefined> {
    return (await this.#store.settings.get(NAMESPACE, PASS)) as ArtifactPass | undefined
  }

  /**
   * A step of the pass that is due, if nobody else makes it.
   * @returns when to come again
   */
  async take(worker: string, keepMs: number): Promise<number> {
    const now = this.#clock.now()
    const pass = await this.pass()
    if (pass?.endedAt !== undefined && now < pass.endedAt + everyMs(keepMs)) return now + LOOK_EVERY_MS
    const underWay = pass?.endedAt === undefined ? pass : undefined
    const isAnothers = underWay !== undefined && underWay.by !== worker
    if (isAnothers && now - underWay.at < PASS_SILENT_MS) return now + PASS_SILENT_MS
    const { startedAt, collection } = await this.#collection(worker, keepMs, underWay)
    const outcome = await collection.step(ROWS).catch(async (error: unknown) => {
      await this.#drop()
      throw error
    })
    const end = outcome === 'done' ? { endedAt: this.#clock.now() } : {}
    const { collected, progress } = collection
    const record: ArtifactPass = { startedAt, at: now, by: worker, progress, ...collected, ...end }
    await this.#store.settings.put(NAMESPACE, PASS, record)
    if (outcome === 'done') await this.#drop()
    return this.#clock.now() + (outcome === 'done' ? LOOK_EVERY_MS : STEP_EVERY_MS)
  }

  async #collection(worker: string, keepMs: number, underWay: ArtifactPass | undefined) {
    const current = this.#current
    if (current !== undefined && current.by === worker && current.startedAt === underWay?.startedAt) return current
    await this.#drop()
    const parts = { store: this.#store, artifacts: this.#artifacts, keepMs, id: worker }
    const begun = { startedAt: this.#clock.now(), by: worker, collection: new Collection(parts) }
    this.#current = begun
    return begun
  }

  async #drop(): Promise<void> {
    const dropped = this.#current
    this.#current = undefined
    await dropped?.collection.close()
  }
}

function everyMs(keepMs: number): number {
  return Math.min(Math.max(keepMs, PASS_EVERY_MS_MIN), PASS_EVERY_MS_MAX)
}
