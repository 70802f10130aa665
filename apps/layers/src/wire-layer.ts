import { hash } from 'node:crypto'
import { type Layer, legendOf } from '@headrace/geo'
import type { WireLayer } from '@headrace/wire'

/** A layer as the dashboard is told of it. `tiles` names the layer's picture, so that its tiles may be kept for ever. */
export function toWireLayer(layer: Layer): WireLayer {
  const { name, title, crs, grid, kind, nodata, bboxLonLat, sha256 } = layer
  return {
    name,
    title,
    crs: crs.name,
    rows: grid.rows,
    cols: grid.cols,
    pixelSize: [grid.cellWidth, grid.cellHeight],
    kind,
    nodata,
    bboxLonLat,
    classes: legendOf(layer),
    sha256,
    synthetic: layer.isSynthetic,
    tiles: `/layers/${name}/tiles/{z}/{x}/{y}.png?v=${pictureOf(layer)}`,
  }
}

/** Changes with whatever its tiles are drawn from: the cells, and the colours given to them. */
export function pictureOf({ sha256, kind, nodata, classes, range }: Layer): string {
  return hash('sha256', JSON.stringify([sha256, kind, nodata, classes, range])).slice(0, 16)
}
