import type { BboxLonLat, Layer } from '../catalogue/layer.ts'
import { AreaOutsideLayersError } from '../errors.ts'
import { type Area, bboxOfArea } from './area.ts'

/**
 * Requires that an area's bounds meet the bounds of every layer of a list. That is a quick look before a job is accepted: an
 * area beside a layer whose bounds it meets passes, and counts no cells.
 * @throws {AreaOutsideLayersError} naming both extents
 */
export function requireAreaOnLayers(area: Area, layers: readonly Pick<Layer, 'name' | 'bboxLonLat'>[]): void {
  const bbox = bboxOfArea(area)
  const missed = layers.filter((layer) => !doMeet(bbox, layer.bboxLonLat))
  if (layers.length === 0 || missed.length > 0) throw new AreaOutsideLayersError(bbox, missed)
}

function doMeet(one: BboxLonLat, other: BboxLonLat): boolean {
  return one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
}
