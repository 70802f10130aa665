import type { ModelManifest } from '../manifest/manifest.ts'
import { DeployedModel } from './deployed-model.ts'

/** Where a model's file lies on this machine, for as long as it is held. */
export type HeldModel = Disposable & { readonly path: string }

export type PoolOptions = {
  /** At most so many are loaded; for another one, the one that was not asked for longest makes room. Default 16. */
  readonly loadedMax?: number
  /** A model that nobody asked so long is unloaded. Default 15 minutes. */
  readonly idleMs?: number
}

const LOADED_MAX = 16
const IDLE_MS = 15 * 60_000

type Entry = { readonly model: Promise<DeployedModel>; loaded: DeployedModel | undefined; usedAt: number }

/**
 * The models that this process has loaded, by a key that names file and manifest. Each is loaded once, when it is first asked
 * for, however many ask at that moment.
 */
export class ModelPool {
  readonly #entries = new Map<string, Entry>()
  readonly #loadedMax: number
  readonly #idleMs: number
  #sweep: NodeJS.Timeout | undefined

  constructor({ loadedMax = LOADED_MAX, idleMs = IDLE_MS }: PoolOptions = {}) {
    this.#loadedMax = loadedMax
    this.#idleMs = idleMs
  }

  /** @throws {ModelError} what is wrong with the model; the next call tries again */
  async get(key: string, manifest: ModelManifest, hold: () => Promise<HeldModel>): Promise<DeployedModel> {
    const entry = this.#entries.get(key)
    if (entry !== undefined && !entry.loaded?.isGone) {
      entry.usedAt = performance.now()
      return entry.model
    }
    return this.#load(key, manifest, hold)
  }

  /** The model, if it is loaded here. */
  loaded(key: string): DeployedModel | undefined {
    const loaded = this.#entries.get(key)?.loaded
    return loaded?.isGone ? undefined : loaded
  }

  /** Answers what it has taken on, then gives its memory back. */
  async unload(key: string): Promise<void> {
    const entry = this.#entries.get(key)
    this.#entries.delete(key)
    await (await entry?.model.catch(() => undefined))?.unload() // one that was never loaded has nothing to give back
  }

  async close(): Promise<void> {
    clearTimeout(this.#sweep)
    await Promise.all([...this.#entries.keys()].map((key) => this.unload(key)))
  }

  #load(key: string, manifest: ModelManifest, hold: () => Promise<HeldModel>): Promise<DeployedModel> {
    this.#makeRoom()
    const entry: Entry = { model: loadHeld(manifest, hold), loaded: undefined, usedAt: performance.now() }
    this.#entries.set(key, entry)
    entry.model.then(
      (model) => {
        entry.loaded = model
        this.#sweepLater()
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key)
      },
    )
    return entry.model
  }

  #makeRoom(): void {
    const idle = [...this.#entries]
      .filter(([, { loaded }]) => loaded?.isIdle)
      .sort(([, a], [, b]) => a.usedAt - b.usedAt)
    for (const [key] of idle.slice(0, Math.max(0, this.#entries.size - this.#loadedMax + 1))) void this.unload(key)
  }

  #sweepLater(): void {
    clearTimeout(this.#sweep)
    if (this.#entries.size === 0) return
    this.#sweep = setTimeout(() => {
      const before = performance.now() - this.#idleMs
      for (const [key, { loaded, usedAt }] of this.#entries)
        if (loaded?.isIdle && usedAt < before) void this.unload(key)
      this.#sweepLater()
    }, this.#idleMs / 4)
    this.#sweep.unref()
  }
}

async function loadHeld(manifest: ModelManifest, hold: () => Promise<HeldModel>): Promise<DeployedModel> {
  using held = await hold()
  return await DeployedModel.load(held.path, manifest)
}
