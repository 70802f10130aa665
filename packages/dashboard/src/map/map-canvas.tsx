import type { Json } from '@headrace/wire'
import {
  type GeoJSONSource,
  type LngLatBounds,
  Map as MapLibreMap,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from 'maplibre-gl'
import 'maplibre-gl/dist/maplibre-gl.css'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import { useEffect, useRef, useState } from 'react'
import type { BboxLonLat, Rings } from '../plan/geometry.ts'
import { unionOf } from '../plan/geometry.ts'
import { graticuleOf, latText, lonText } from '../plan/graticule.ts'
import { useIsDark } from '../shell/theme.ts'
import { createDrawing, type Drawing, type DrawingShape } from './drawing.ts'
import {
  areaLayers,
  areaSource,
  baseLayers,
  boxLine,
  graticuleLines,
  linesSource,
  type MapColors,
  rasterLayer,
  rasterSource,
  type ShownLayer,
} from './map-style.ts'

// The worker is a file of our own, so that the content security policy needs no exception.
setWorkerUrl(workerUrl)

const GRATICULE_LINES = 6
const FIT = { padding: 40 }
const WORLD: BboxLonLat = [-130, -40, 130, 65]

/** The map itself. All of its state is given; it tells only what was drawn on it. */
export default function MapCanvas(props: {
  readonly layers: readonly ShownLayer[]
  readonly area: Rings | undefined
  /** Where to look; a new value is flown to. */
  readonly focus: BboxLonLat | undefined
  readonly drawing: DrawingShape | undefined
  readonly onDrawn: (area: Json) => void
}) {
  const holder = useRef<HTMLDivElement>(null)
  const labels = useRef<HTMLDivElement>(null)
  const [ready, setReady] = useState<{ readonly map: MapLibreMap; readonly drawing: Drawing }>()
  const isDark = useIsDark()
  const latest = useRef(props)
  latest.current = props
  /** The map was opened before anything was known that it could show. */
  const isAtWorld = useRef(false)

  // biome-ignore lint/correctness/useExhaustiveDependencies: a map in other colours is another map; the rest of its state is put into it below.
  useEffect(() => {
    const container = holder.current
    if (!container) return
    const before = ready?.map.getBounds()
    const colors = colorsOf(container)
    const start = before ? bboxOfBounds(before) : startOf(latest.current)
    isAtWorld.current = start === WORLD
    const map = openMap(container, colors, start)
    let drawing: Drawing | undefined
    const drawLabels = () => placeLabels(map, labels.current)
    const drawGraticule = () =>
      source(map, 'graticule')?.setData(linesSource(graticuleLines(viewOf(map), GRATICULE_LINES)) ?? '')
    map.on('move', drawLabels)
    map.on('moveend', drawGraticule)
    map.on('load', () => {
      drawing = createDrawing(map, { color: colors.accent, onDrawn: (area) => latest.current.onDrawn(area) })
      drawGraticule()
      drawLabels()
      setReady({ map, drawing })
    })
    return () => {
      drawing?.dispose()
      map.remove()
      setReady(undefined)
    }
  }, [isDark])

  const names = props.layers.map(({ layer }) => layer.name).join('\n')
  // biome-ignore lint/correctness/useExhaustiveDependencies: layers are added when their names change; what else changes is set below.
  useEffect(() => {
    if (!ready) return
    addLayers(ready.map, props.layers)
    if (!isAtWorld.current || props.layers.length === 0) return
    isAtWorld.current = false
    ready.map.fitBounds([...startOf(props)], { ...FIT, animate: false })
  }, [ready, names])

  useEffect(() => {
    if (!ready) return
    for (const { layer, isShown, opacity } of props.layers) {
      ready.map.setLayoutProperty(`layer ${layer.name}`, 'visibility', isShown ? 'visible' : 'none')
      ready.map.setPaintProperty(`layer ${layer.name}`, 'raster-opacity', opacity)
    }
  }, [ready, props.layers])

  useEffect(() => {
    if (ready) source(ready.map, 'area')?.setData(areaSource(props.area) ?? '')
  }, [ready, props.area])

  useEffect(() => {
    if (ready && props.focus) lookAt(ready.map, props.focus)
  }, [ready, props.focus])

  useEffect(() => {
    if (!ready) return
    if (props.drawing) ready.drawing.begin(props.drawing)
    else ready.drawing.stop()
  }, [ready, props.drawing])

  return (
    <div className="map-holder" data-ready={ready !== undefined || undefined}>
      <div ref={holder} className="map-canvas" />
      <div ref={labels} className="map-labels" aria-hidden="true" />
    </div>
  )
}

function openMap(container: HTMLElement, colors: MapColors, bounds: BboxLonLat): MapLibreMap {
  const nothing = linesSource([]) ?? ''
  const map = new MapLibreMap({
    container,
    style: {
      version: 8,
      sources: {
        graticule: { type: 'geojson', data: nothing },
        edges: { type: 'geojson', data: nothing },
        area: { type: 'geojson', data: nothing },
      },
      layers: [...baseLayers(colors), ...areaLayers(colors)],
    },
    bounds: [...bounds],
    fitBoundsOptions: FIT,
    attributionControl: false,
    // North stays up: the labels at the edges are true only then, and a survey has no use for another view.
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    renderWorldCopies: false,
  })
  map.touchZoomRotate.disableRotation()
  map.keyboard.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'top-left')
  map.addControl(new ScaleControl({ maxWidth: 120, unit: 'metric' }), 'bottom-right')
  return map
}

function addLayers(map: MapLibreMap, layers: readonly ShownLayer[]) {
  for (const shown of layers) {
    const id = `layer ${shown.layer.name}`
    if (map.getLayer(id)) continue
    map.addSource(id, rasterSource(shown.layer, location.origin))
    map.addLayer(rasterLayer(shown), 'graticule')
  }
  source(map, 'edges')?.setData(linesSource(layers.map(({ layer }) => boxLine(layer.bboxLonLat))) ?? '')
}

function source(map: MapLibreMap, id: string): GeoJSONSource | undefined {
  return map.getSource<GeoJSONSource>(id)
}

function startOf(props: {
  readonly focus: BboxLonLat | undefined
  readonly layers: readonly ShownLayer[]
}): BboxLonLat {
  return props.focus ?? unionOf(props.layers.map(({ layer }) => layer.bboxLonLat)) ?? WORLD
}

function lookAt(map: MapLibreMap, [west, south, east, north]: BboxLonLat) {
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
  map.fitBounds([west, south, east, north], { padding: 60, maxZoom: 15, duration: isCalm ? 0 : 600 })
}

function viewOf(map: MapLibreMap): BboxLonLat {
  const [west, south, east, north] = bboxOfBounds(map.getBounds())
  return [Math.max(-180, west), south, Math.min(180, east), north]
}

function bboxOfBounds(bounds: LngLatBounds): BboxLonLat {
  return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()]
}

/** Degrees along the lower and the left edge, set by hand: MapLibre would need a font from somewhere to write them. */
function placeLabels(map: MapLibreMap, holder: HTMLDivElement | null) {
  if (!holder) return
  const { lons, lats, stepDegrees } = graticuleOf(viewOf(map), GRATICULE_LINES)
  holder.replaceChildren(
    ...lons
      .map((lon) => ({ text: lonText(lon, stepDegrees), px: map.project([lon, 0]).x }))
      .filter(({ px }) => px < holder.clientWidth - SCALE_WIDTH_PX)
      .map(({ text, px }) => edgeLabel(text, 'left', px)),
    ...lats
      .map((lat) => ({ text: latText(lat, stepDegrees), px: map.project([0, lat]).y }))
      .filter(({ px }) => px > ZOOM_HEIGHT_PX)
      .map(({ text, px }) => edgeLabel(text, 'top', px)),
  )
}

/** Where the controls are, no label is put under them. */
const SCALE_WIDTH_PX = 165
const ZOOM_HEIGHT_PX = 84

function edgeLabel(text: string, side: 'left' | 'top', px: number): HTMLElement {
  const label = document.createElement('span')
  label.textContent = text
  label.dataset.side = side
  label.style[side] = `${Math.round(px)}px`
  return label
}

function colorsOf(element: HTMLElement): MapColors {
  const style = getComputedStyle(element)
  const color = (property: string) => hexOf(style.getPropertyValue(property).trim())
  return {
    ground: color('--map-ground'),
    line: color('--map-line'),
    edge: color('--map-edge'),
    accent: color('--map-accent'),
  }
}

/** MapLibre and terra-draw know hex colours; a custom property may come back as `rgb(…)` or `light-dark(…)`. */
function hexOf(color: string): string {
  const context = document.createElement('canvas').getContext('2d')
  if (!context) return '#888888'
  context.fillStyle = color
  return context.fillStyle
}
