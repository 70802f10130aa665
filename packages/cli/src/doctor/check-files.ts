import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Layer } from '@headrace/geo'
import { type Finding, fail, ok, warn } from './finding.ts'

export async function checkArtifacts(dataDir: string): Promise<Finding> {
  const dir = join(dataDir, 'artifacts')
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => error)
  if (names instanceof Error) {
    if (names.code === 'ENOENT')
      return warn('Artifacts', `${dir} does not exist`, 'The first "headrace serve" makes it.')
    return fail('Artifacts', `${dir} cannot be read: ${names.message}`, 'Give this user the right to read it.')
  }
  const aside = await readdir(join(dir, 'quarantine')).catch(() => []) // not there: nothing was found damaged
  if (aside.length === 0) return ok('Artifacts', `${dir} can be read`)
  const remedy = `Look into ${join(dir, 'quarantine')}; retry the jobs whose artifacts are there, then empty it.`
  return warn('Artifacts', `${aside.length} were found damaged and set aside`, remedy)
}

/** Opening an S3 store lists it; what is wrong with it is said with its remedy. */
export async function checkArtifactsUrl(url: string): Promise<Finding> {
  try {
    const { openArtifacts } = await import('@headrace/artifacts') // with its S3 library, so only when needed
    await openArtifacts(url)
    return ok('Artifacts', `${url} can be listed`)
  } catch (error) {
    return fail('Artifacts', (error as Error).message, 'Correct --artifacts or its environment.')
  }
}

/** What documents are read with. @param named by HEADRACE_TESSDATA */
export async function checkTrainedData(named: string | undefined): Promise<Finding> {
  const { findTessdata } = await import('@headrace/app-documents') // with its libraries, so only when needed
  try {
    const [dir] = findTessdata(named)
    return ok('OCR data', dir === undefined ? 'those that come by npm' : `those in ${dir}, then those that come by npm`)
  } catch (error) {
    return fail('OCR data', (error as Error).message, 'Correct or unset HEADRACE_TESSDATA.')
  }
}

/** Every manifest, and that the file which it names is there with the size that it says. */
export async function checkLayers(dataDir: string): Promise<Finding> {
  try {
    const { listLayers, openCatalogue } = await import('@headrace/geo') // with its image library, so only when needed
    const catalogue = await openCatalogue(dataDir)
    const layers = await listLayers(catalogue)
    const broken = (await Promise.all(layers.map((layer) => isWhole(catalogue.folder, layer)))).flatMap(
      (whole, index) => (whole ? [] : [layers[index]?.name]),
    )
    if (broken.length > 0) {
      return fail('Layers', `${broken.join(', ')}: the raster is missing or cut off`, 'Add them again with --replace.')
    }
    if (layers.length > 0) return ok('Layers', layers.map((layer) => layer.name).join(', '))
    return warn('Layers', 'there are none', 'Add one: headrace layers add nlcd.tif --name nlcd')
  } catch (error) {
    return fail('Layers', (error as Error).message, 'Remove it with "headrace layers remove", and add it again.')
  }
}

async function isWhole(folder: string, layer: Layer): Promise<boolean> {
  const found = await stat(join(folder, layer.file)).catch(() => undefined) // not there: not whole
  return found?.size === layer.sizeBytes
}
