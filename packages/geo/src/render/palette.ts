import type { Layer, LayerClass } from '../catalogue/layer.ts'
import { isMissing } from '../raster/cell-type.ts'
import type { Rgba } from './png.ts'

/** Colours of a layer's values: entry 0 is clear, for missing cells and for what no tile shows. */
export type Palette = {
  readonly colors: readonly Rgba[]
  readonly indexOf: (value: number) => number
}

/** The palette of a layer: its classes, or 255 colours spread over its values. */
export function paletteOf(layer: Layer): Palette {
  const indexOf = layer.kind === 'categorical' ? classIndex(layer) : rampIndex(layer)
  return {
    colors: [clear, ...colorsOf(layer)],
    indexOf: (value) => (isMissing(value, layer.nodata) ? 0 : indexOf(value)),
  }
}

const clear: Rgba = [0, 0, 0, 0]
const entries = 255

function colorsOf(layer: Layer): Rgba[] {
  if (layer.kind === 'continuous') return Array.from({ length: entries }, (_, i) => rampColor(i / (entries - 1)))
  if (layer.classes.length === 0) return Array.from({ length: entries }, (_, i) => spreadColor(i))
  return layer.classes.slice(0, entries).map(({ color }) => parseColor(color))
}

// Values without a class stay clear where classes are given, and have a colour of their own, each near 255th alike, where not.
function classIndex({ classes }: Layer): (value: number) => number {
  if (classes.length === 0) return (value) => 1 + (((Math.trunc(value) % entries) + entries) % entries)
  const indexes = new Map(classes.slice(0, entries).map(({ value }, i) => [value, i + 1]))
  return (value) => indexes.get(Math.trunc(value)) ?? 0
}

function rampIndex({ range }: Layer): (value: number) => number {
  if (!range) return () => 0
  const { min, max } = range
  const scale = max > min ? (entries - 1) / (max - min) : 0
  return (value) => 1 + Math.round(Math.max(0, Math.min(entries - 1, (value - min) * scale)))
}

/** One line of a layer's legend: a class, or a stop of a measure's colours. `color` is `#rrggbb`. */
export type LegendEntry = { readonly value: number; readonly name: string; readonly color: string }

const legendStops = 5

/**
 * What a layer's colours mean: its classes, or five stops from its least to its greatest value. Empty for a categorical layer
 * without classes, whose colours only tell values apart.
 * @example legendOf(layer) // [{ value: 11, name: 'Open Water', color: '#466b9f' }, …]
 */
export function legendOf(layer: Layer): LegendEntry[] {
  if (layer.kind === 'categorical')
    return layer.classes.map(({ value, name, color }: LayerClass) => ({ value, name, color }))
  if (!layer.range) return []
  const { min, max } = layer.range
  return Array.from({ length: legendStops }, (_, i) => {
    const share = i / (legendStops - 1)
    const value = min + share * (max - min)
    return { value, name: String(Number(value.toPrecision(4))), color: formatColor(rampColor(share)) }
  })
}

// Viridis (Smith and van der Walt, 2015, CC0) at nine even stops: even to the eye, and readable without colour vision.
const viridis: readonly Rgba[] = [
  [68, 1, 84, 255],
  [71, 45, 123, 255],
  [59, 82, 139, 255],
  [44, 114, 142, 255],
  [33, 145, 140, 255],
  [40, 174, 128, 255],
  [94, 201, 98, 255],
  [173, 220, 48, 255],
  [253, 231, 37, 255],
]

function rampColor(share: number): Rgba {
  const position = share * (viridis.length - 1)
  const from = viridis[Math.floor(position)] ?? clear
  const to = viridis[Math.ceil(position)] ?? from
  const mix = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * (position % 1))
  return [mix(0), mix(1), mix(2), 255]
}

// Hues a golden angle apart, so that values next to one another look different.
function spreadColor(index: number): Rgba {
  const hue = (index * 137.508) % 360
  const channel = (shift: number) => {
    const position = (shift + hue / 30) % 12
    return Math.round(255 * (0.55 - 0.27 * Math.max(-1, Math.min(position - 3, 9 - position, 1))))
  }
  return [channel(0), channel(8), channel(4), 255]
}

function parseColor(color: string): Rgba {
  const channel = (at: number) => Number.parseInt(color.slice(at, at + 2), 16)
  return [channel(1), channel(3), channel(5), 255]
}

function formatColor([red, green, blue]: Rgba): string {
  return `#${[red, green, blue].map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
}
