import { join } from 'node:path'
import type { Catalogue } from '@headrace/geo'

/** The folder `sample` beside the catalogue's own, in the same data folder. */
export function sampleFolder(catalogue: Catalogue): string {
  return join(catalogue.folder, '..', 'sample')
}

export function sampleAreaPath(catalogue: Catalogue): string {
  return join(sampleFolder(catalogue), 'sample-area.geojson')
}
