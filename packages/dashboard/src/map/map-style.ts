import type { WireLayer } from '@headrace/wire'
import type { GeoJSONSourceSpecification, LayerSpecification, RasterSourceSpecification } from 'maplibre-gl'
import type { BboxLonLat, Rings } from '../plan/geometry.ts'
import { graticuleOf } from '../plan/graticule.ts'

/** What a map is made of, as MapLibre wants it. Everything comes from our own host; there is no base map. */

export type ShownLayer = { readonly layer: WireLayer; readonly isShown: boolean; readonly opacity: number }
export type MapColors = {
  readonly ground: string
  readonly line: string
  readonly edge: string
  readonly accent: string
}

const TILE_SIZE_PX = 256
const ZOOM_MAX = 18

export function rasterSource(layer: WireLayer, origin: string): RasterSourceSpecification {
  return {
    type: 'raster',
    // A worker fetches the tiles, and to it a path alone means nothing.
    tiles: [origin + layer.tiles],
    tileSize: TILE_SIZE_PX,
    bounds: [...layer.bboxLonLat],
    maxzoom: ZOOM_MAX,
  }
}

export function rasterLayer(shown: ShownLayer): LayerSpecification {
  return {
    id: `layer ${shown.layer.name}`,
    source: `layer ${shown.layer.name}`,
    type: 'raster',
    layout: { visibility: shown.isShown ? 'visible' : 'none' },
    // Classes must not be blended into others that lie between them.
    paint: { 'raster-opacity': shown.opacity, 'raster-resampling': 'nearest', 'raster-fade-duration': 120 },
  }
}

export function linesSource(
  lines: readonly (readonly (readonly [number, number])[])[],
): GeoJSONSourceSpecification['data'] {
  return { type: 'MultiLineString', coordinates: lines.map((line) => line.map(([lon, lat]) => [lon, lat])) }
}

export function areaSource(rings: Rings | undefined): GeoJSONSourceSpecification['data'] {
  return { type: 'MultiLineString', coordinates: (rings ?? []).map((ring) => ring.map(([lon, lat]) => [lon, lat])) }
}

/** The outline of a box; its long sides need no more points, since both are straight in Mercator. */
export function boxLine([west, south, east, north]: BboxLonLat): readonly (readonly [number, number])[] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
}

export function graticuleLines(view: BboxLonLat, count: number): readonly (readonly (readonly [number, number])[])[] {
  const { lons, lats } = graticuleOf(view, count)
  const [west, south, east, north] = view
  return [
    ...lons.map(
      (lon) =>
        [
          [lon, Math.max(-85, south)],
          [lon, Math.min(85, north)],
        ] as const,
    ),
    ...lats.map(
      (lat) =>
        [
          [west, lat],
          [east, lat],
        ] as const,
    ),
  ]
}

export function baseLayers(colors: MapColors): readonly LayerSpecification[] {
  return [
    { id: 'ground', type: 'background', paint: { 'background-color': colors.ground } },
    {
      id: 'graticule',
      type: 'line',
      source: 'graticule',
      paint: { 'line-color': colors.line, 'line-width': 1, 'line-opacity': 0.6 },
    },
    {
      id: 'edges',
      type: 'line',
      source: 'edges',
      paint: { 'line-color': colors.edge, 'line-width': 1.5, 'line-dasharray': [4, 3] },
    },
  ]
}

export function areaLayers(colors: MapColors): readonly LayerSpecification[] {
  return [
    // A pale line under the dark one, so that the outline stands out on land of any colour.
    {
      id: 'area halo',
      type: 'line',
      source: 'area',
      paint: { 'line-color': '#ffffff', 'line-width': 5, 'line-opacity': 0.85 },
    },
    { id: 'area', type: 'line', source: 'area', paint: { 'line-color': colors.accent, 'line-width': 2.5 } },
  ]
}
