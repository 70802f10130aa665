import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addLayer, type Catalogue, listLayers, makeSampleLayers, type OnProgress } from '@headrace/geo'
import { defaultLayerNames } from '../layer/layer-names.ts'
import { sampleFolder } from './sample-folder.ts'

export type EnsureSampleOptions = {
  /** Told how far it is, 0 to 1, and what it is at; not called where there is nothing to do. */
  readonly onProgress?: OnProgress
}

/** Says that the sample was added, and that it is not wanted back where it is gone. */
const ADDED = 'added.txt'

/**
 * Makes the synthetic sample layers and adds them to an empty catalogue, so that there is something to analyse at the first
 * start. Where that was broken off, it is done again; where the sample was once added, or other layers are there, it is not.
 * @returns whether they were added now
 * @example if (await ensureSampleLayers(catalogue)) console.log('The sample is there: GET /api/watershed/sample-area')
 */
export async function ensureSampleLayers(catalogue: Catalogue, options: EnsureSampleOptions = {}): Promise<boolean> {
  const { onProgress = () => {} } = options
  const folder = sampleFolder(catalogue)
  const marker = join(folder, ADDED)
  if ((await exists(marker)) || !(await holdsNothingElse(catalogue))) return false
  onProgress(0, 'making the synthetic sample layers')
  const { layers } = await makeSampleLayers(folder)
  for (const [index, layer] of layers.entries()) {
    const share = (fraction: number) => 0.5 + (index + fraction) / (2 * layers.length)
    const tell: OnProgress = (fraction) => onProgress(share(fraction), `adding ${layer.name}`)
    await addLayer(catalogue, { ...layer, replace: true, onProgress: tell })
  }
  await writeFile(marker, 'The synthetic sample was added to the layers. Remove this file to have it added again.\n')
  return true
}

/** Nothing, or some of the sample. */
async function holdsNothingElse(catalogue: Catalogue): Promise<boolean> {
  const own = Object.values(defaultLayerNames.sample)
  return (await listLayers(catalogue)).every(({ name }) => own.includes(name))
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined // not there: undefined
}
