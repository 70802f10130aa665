import type { JobId, Store } from '@headrace/engine'

type Place = { readonly owner: string | undefined; readonly parentId: JobId | undefined; readonly rootId: JobId }

const KEPT_MAX = 20_000

/** Whose a job is and what it belongs to. None of that ever changes, so it is read once and kept for a while. */
export class Lineage {
  readonly #store: Store
  readonly #kept = new Map<JobId, Place>()
  constructor(store: Store) {
    this.#store = store
  }

  async ownerOf(id: JobId): Promise<string | undefined> {
    return (await this.#placeOf(id))?.owner
  }

  /** Whether `id` is `ancestor`, or was called by it at whatever depth. */
  async isWithin(id: JobId, ancestor: JobId): Promise<boolean> {
    for (let at: JobId | undefined = id; at !== undefined; ) {
      if (at === ancestor) return true
      const place: Place | undefined = await this.#placeOf(at)
      if (place?.rootId === ancestor) return true
      at = place?.parentId
    }
    return false
  }

  async #placeOf(id: JobId): Promise<Place | undefined> {
    const kept = this.#kept.get(id)
    if (kept) return kept
    const job = await this.#store.job(id)
    if (!job) return undefined
    const place = { owner: job.owner, parentId: job.parentId, rootId: job.rootId }
    this.#keep(id, place)
    return place
  }

  /** A Map remembers the order of insertion, so the first key is the one that was read longest ago. */
  #keep(id: JobId, place: Place): void {
    this.#kept.set(id, place)
    const oldest = this.#kept.keys().next()
    if (this.#kept.size > KEPT_MAX && !oldest.done) this.#kept.delete(oldest.value)
  }
}
