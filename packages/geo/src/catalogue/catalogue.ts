import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { LayerDamagedError, LayerNameInvalidError, LayerNotFoundError } from '../errors.ts'
import type { Layer } from './layer.ts'

// A layer is two files in the catalogue's folder: <name>.json, its manifest, which alone says that the layer exists, and
// <name>.<some hexadecimal>.tif, its cells, never of the same name twice. A manifest is renamed into place after its cells are durable,
// so a reader finds the old layer or the new one, never half of one, and a layer held open stays readable when it is replaced.
// Only the cells that a replaced or removed manifest named are removed with it, so additions at the same time do not undo one another.

/** Where layers are kept. Made by `openCatalogue`; plain data, so it can be sent to a thread. */
export type Catalogue = { readonly folder: string }

/**
 * The catalogue of a data folder: its subfolder `layers`, made where it is missing.
 * @param dataDir the application's data folder
 * @example const catalogue = await openCatalogue('/var/lib/headrace')
 */
export async function openCatalogue(dataDir: string): Promise<Catalogue> {
  const folder = resolve(dataDir, 'layers')
  await mkdir(folder, { recursive: true })
  return { folder }
}

/** Every layer, by name. @throws {LayerDamagedError} when a manifest cannot be read */
export async function listLayers(catalogue: Catalogue): Promise<Layer[]> {
  const names = await listNames(catalogue)
  return await Promise.all(names.map((name) => readManifest(catalogue, name)))
}

/**
 * One layer's manifest.
 * @throws {LayerNameInvalidError} for what cannot name a layer
 * @throws {LayerNotFoundError} when there is none of that name
 * @throws {LayerDamagedError} when its manifest cannot be read
 */
export async function getLayer(catalogue: Catalogue, name: string): Promise<Layer> {
  requireLayerName(name)
  return await readManifest(catalogue, name)
}

/**
 * Removes a layer. Its manifest goes first, so that it is gone at once and whole; who holds it open reads on (on Windows
 * its cells then stay until the next removal or replacement).
 * @throws {LayerNotFoundError} when there is none of that name
 */
export async function removeLayer(catalogue: Catalogue, name: string): Promise<void> {
  requireLayerName(name)
  const file = await fileInUse(catalogue, name)
  if (!(await hasLayer(catalogue, name))) throw new LayerNotFoundError(name, await listNames(catalogue))
  await rm(join(catalogue.folder, `${name}.json`))
  await syncFolder(catalogue.folder)
  if (file !== undefined) await removeFile(catalogue, file)
}

/** A layer's name: 1 to 63 of a-z, 0-9 and hyphen, not starting with a hyphen. It can hold no path. */
export function requireLayerName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) throw new LayerNameInvalidError(name)
}

/** Whether a layer of this name exists, damaged or not. */
export async function hasLayer(catalogue: Catalogue, name: string): Promise<boolean> {
  return (await listNames(catalogue)).includes(name)
}

/** Puts a manifest in place, atomically and durably, and removes the cells of the layer that it replaces. */
export async function commitManifest(catalogue: Catalogue, layer: Layer): Promise<void> {
  const replaced = await fileInUse(catalogue, layer.name)
  const partial = join(catalogue.folder, `.${layer.name}.${randomUUID()}.partial`)
  const file = await open(partial, 'wx')
  try {
    await file.writeFile(`${JSON.stringify({ version: 1, ...layer }, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(partial, join(catalogue.folder, `${layer.name}.json`))
  await syncFolder(catalogue.folder)
  if (replaced !== undefined && replaced !== layer.file) await removeFile(catalogue, replaced)
}

/** Makes renames in a folder durable. Windows has no such call, and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const leftoverAgeMsMin = 24 * 3600 * 1000

/** Removes what crashed additions left behind a day ago or more: unfinished files, and cells that no manifest names. */
export async function removeLeftovers(catalogue: Catalogue, now: Date): Promise<void> {
  const names = await listNames(catalogue)
  const used = new Set(await Promise.all(names.map((name) => fileInUse(catalogue, name))))
  if (used.has(undefined)) return // a damaged manifest: its cells may be wanted to repair it
  for (const file of await readdir(catalogue.folder)) {
    const isUnfinished = file.startsWith('.') && file.includes('.partial')
    if (!isUnfinished && (!file.endsWith('.tif') || used.has(file))) continue
    const info = await stat(join(catalogue.folder, file)).catch(() => undefined) // another process may have removed it just now
    if (info && now.getTime() - info.mtimeMs > leftoverAgeMsMin) await removeFile(catalogue, file)
  }
}

async function listNames(catalogue: Catalogue): Promise<string[]> {
  const files = await readdir(catalogue.folder)
  return files
    .filter((file) => /^[a-z0-9][a-z0-9-]{0,62}\.json$/.test(file))
    .map((file) => file.slice(0, -5))
    .sort()
}

async function readManifest(catalogue: Catalogue, name: string): Promise<Layer> {
  let text: string
  try {
    text = await readFile(join(catalogue.folder, `${name}.json`), 'utf8')
  } catch (error) {
    if (!isMissingFile(error)) throw new LayerDamagedError(name, { cause: error })
    throw new LayerNotFoundError(name, await listNames(catalogue))
  }
  return parseManifest(name, text)
}

function parseManifest(name: string, text: string): Layer {
  try {
    const { version, ...layer } = JSON.parse(text) as Layer & { version: number }
    if (version !== 1) throw new Error(`its manifest has version ${version}, and this release reads 1.`)
    const isNamedRight = layer.name === name && isFileNameOf(name, layer.file)
    if (!isNamedRight) throw new Error('its manifest names another layer.')
    return layer // written by commitManifest, and by no one else
  } catch (cause) {
    throw new LayerDamagedError(name, { cause })
  }
}

/** A new name for a layer's cells. A layer's name holds no dot, so its file cannot be taken for another layer's. */
export function newFileName(name: string): string {
  return `${name}.${randomUUID().replaceAll('-', '').slice(0, 16)}.tif`
}

function isFileNameOf(name: string, file: unknown): boolean {
  return (
    typeof file === 'string' && file.startsWith(`${name}.`) && /^[0-9a-f]{16}\.tif$/.test(file.slice(name.length + 1))
  )
}

// The file that a layer's manifest names; undefined without a manifest that can be read.
async function fileInUse(catalogue: Catalogue, name: string): Promise<string | undefined> {
  try {
    return (await readManifest(catalogue, name)).file
  } catch (error) {
    if (error instanceof LayerNotFoundError || error instanceof LayerDamagedError) return undefined
    throw error
  }
}

// Windows refuses to remove a file that someone holds open; it is then a leftover, which a later addition removes.
async function removeFile(catalogue: Catalogue, file: string): Promise<void> {
  try {
    await rm(join(catalogue.folder, file), { force: true })
  } catch (error) {
    if (process.platform !== 'win32') throw error
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
