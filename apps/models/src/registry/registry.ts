import type { Settings } from '@headrace/engine'
import { ModelError, type ModelManifest, parseManifest } from '@headrace/inference'

/** One version of a model, as the store keeps it for all machines. The file itself is an artifact. */
export type ModelRecord = {
  readonly manifest: ModelManifest
  readonly artifact: string
  readonly sizeBytes: number
  readonly addedAt: string
  readonly addedBy: string
}

export type Model = { readonly name: string; readonly current: ModelRecord; readonly versions: readonly ModelRecord[] }

/** By `name@version`. */
const VERSIONS = 'models'
/** By name; where there is none, or its version is gone, the newest version is the default. */
const DEFAULTS = 'models.default'
/** A change made elsewhere is seen within this time; the store is asked once for all requests meanwhile. */
const FRESH_MS = 1_000

type Known = { readonly readAt: number; readonly models: Promise<ReadonlyMap<string, Model>> }

/** Which models there are. Kept with the jobs, so that every process of one store sees the same. */
export class Registry {
  readonly #settings: Settings
  #known: Known | undefined

  constructor(settings: Settings) {
    this.#settings = settings
  }

  async models(): Promise<readonly Model[]> {
    return [...(await this.#read()).values()]
  }

  /** @throws {ModelError} `model_unknown` */
  async model(name: string): Promise<Model> {
    const models = await this.#read()
    return models.get(name) ?? unknown(`There is no model ${JSON.stringify(name.slice(0, 100))}`, [...models.keys()])
  }

  /** @param version the default one when left out. @throws {ModelError} `model_unknown` */
  async find(name: string, version?: string): Promise<ModelRecord> {
    const { current, versions } = await this.model(name)
    if (version === undefined) return current
    const found = versions.find(({ manifest }) => manifest.version === version)
    const names = versions.map(({ manifest }) => manifest.version)
    return found ?? unknown(`The model ${name} has no version ${JSON.stringify(version.slice(0, 100))}`, names)
  }

  /**
   * A version never changes: the same again is no change.
   * @returns whether it was not there before
   * @throws {ModelError} `model_exists` for another file or manifest under the same name and version
   */
  async add(record: ModelRecord): Promise<'added' | 'existing'> {
    const key = keyOf(record.manifest)
    const before = toRecord(await this.#settings.get(VERSIONS, key))
    if (before !== undefined) {
      if (isSame(before, record)) return 'existing'
      throw exists(record.manifest)
    }
    await this.#settings.put(VERSIONS, key, JSON.parse(JSON.stringify(record)))
    this.#known = undefined
    return 'added'
  }

  /** Refuses what `add` would refuse, before the file is stored. @throws {ModelError} `model_exists` */
  async refuseOther(manifest: ModelManifest, artifact: string): Promise<void> {
    const before = toRecord(await this.#settings.get(VERSIONS, keyOf(manifest)))
    if (before !== undefined && !isSame(before, { manifest, artifact })) throw exists(manifest)
  }

  /** @throws {ModelError} `model_unknown` */
  async setDefault(name: string, version: string): Promise<void> {
    this.#known = undefined
    await this.find(name, version)
    await this.#settings.put(DEFAULTS, name, version)
    this.#known = undefined
  }

  /** One version, or all. @returns what is gone. @throws {ModelError} `model_unknown` */
  async remove(name: string, version?: string): Promise<readonly ModelRecord[]> {
    this.#known = undefined
    const gone = version === undefined ? (await this.model(name)).versions : [await this.find(name, version)]
    for (const { manifest } of gone) await this.#settings.delete(VERSIONS, keyOf(manifest))
    if (version === undefined) await this.#settings.delete(DEFAULTS, name)
    this.#known = undefined
    return gone
  }

  #read(): Promise<ReadonlyMap<string, Model>> {
    const now = performance.now()
    if (this.#known !== undefined && now - this.#known.readAt < FRESH_MS) return this.#known.models
    const known: Known = { readAt: now, models: this.#readNow() }
    this.#known = known
    known.models.catch(() => {
      if (this.#known === known) this.#known = undefined
    })
    return known.models
  }

  async #readNow(): Promise<ReadonlyMap<string, Model>> {
    const [rows, defaults] = await Promise.all([this.#settings.list(VERSIONS), this.#settings.list(DEFAULTS)])
    const records = rows.map(({ value }) => toRecord(value)).filter((record) => record !== undefined)
    const byName = Map.groupBy(records, ({ manifest }) => manifest.name)
    const wished = new Map(defaults.map(({ key, value }) => [key, value]))
    return new Map(
      [...byName]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, unsorted]) => {
          const versions = unsorted.sort((a, b) => (a.addedAt < b.addedAt ? 1 : -1))
          const current = versions.find(({ manifest }) => manifest.version === wished.get(name)) ?? versions[0]
          return [name, { name, versions, current: current as ModelRecord }] // sound: a group has at least one
        }),
    )
  }
}

export function keyOf({ name, version }: Pick<ModelManifest, 'name' | 'version'>): string {
  return `${name}@${version}`
}

/** As this release reads it: a manifest that an earlier one wrote may lack what has a default now. */
function toRecord(value: unknown): ModelRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { manifest, ...rest } = value as ModelRecord // sound: only `add` writes here
  return { ...rest, manifest: parseManifest(manifest) }
}

function isSame(a: Pick<ModelRecord, 'artifact' | 'manifest'>, b: Pick<ModelRecord, 'artifact' | 'manifest'>): boolean {
  return a.artifact === b.artifact && JSON.stringify(a.manifest) === JSON.stringify(b.manifest)
}

function exists({ name, version }: ModelManifest): ModelError {
  return new ModelError(
    'model_exists',
    `Version ${version} of ${name} is there already, with another file or manifest, and versions never change. Give the new one a new version in its manifest.`,
  )
}

function unknown(what: string, names: readonly string[]): never {
  const there = names.length > 0 ? `there is ${names.slice(0, 20).join(', ')}` : 'there is none yet'
  throw new ModelError('model_unknown', `${what}; ${there}.`)
}
