import type { WireLayer } from '@headrace/wire'

/** Class numbers of the National Land Cover Database. */
const NLCD = new Set([11, 12, 21, 22, 23, 24, 31, 41, 42, 43, 52, 71, 81, 82, 90, 95])
const LAND_CLASSES_MIN = 3

/**
 * The layers that an analysis can mean something on: land cover on layers with its classes, soil on the other ones with
 * classes; any analysis that is not known here, on all with classes.
 */
export function suitableLayers(process: string, layers: readonly WireLayer[]): readonly WireLayer[] {
  const categorical = layers.filter((layer) => layer.kind === 'categorical')
  if (process.includes('land')) return categorical.filter(isLandCover)
  if (process.includes('soil')) return categorical.filter((layer) => !isLandCover(layer))
  return categorical
}

function isLandCover(layer: WireLayer): boolean {
  return layer.classes.filter((one) => NLCD.has(one.value)).length >= LAND_CLASSES_MIN
}
