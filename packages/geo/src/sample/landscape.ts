import { type Drainage, drain } from './drainage.ts'
import { fractalNoise, hashed } from './fractal-noise.ts'

/** An invented piece of country: land cover and soil of each cell, row by row, and how its water runs. */
export type Landscape = {
  readonly side: number
  readonly drainage: Drainage
  /** NLCD codes. */
  readonly land: Uint8Array
  /** Hydrologic soil groups 1 to 7, 0 under water. */
  readonly soil: Uint8Array
}

/** Invents a square of `side` × `side` cells; the same seed always gives the same. Hills in the north west drain to the south east. */
export function inventLandscape(side: number, seed: number): Landscape {
  const heights = inventHeights(side, seed)
  const drainage = drain(heights, side)
  const fields = {
    heights,
    slope: slopeOf(heights, side),
    wet: wetnessOf(drainage, side),
    towns: inventTowns(side, seed, heights),
    fine: fractalNoise(side, { seed: seed + 1, widest: 24, octaves: 3 }),
    broad: fractalNoise(side, { seed: seed + 2, widest: 160, octaves: 4 }),
    geology: fractalNoise(side, { seed: seed + 3, widest: 220, octaves: 5 }),
  }
  const land = new Uint8Array(side * side)
  const soil = new Uint8Array(side * side)
  for (let cell = 0; cell < land.length; cell++) {
    land[cell] = landAt(fields, cell)
    soil[cell] = land[cell] === 11 ? 0 : soilAt(fields, cell)
  }
  return { side, drainage, land, soil }
}

type Fields = {
  readonly heights: Float32Array
  /** Rise over run, with heights of 0..1 taken as `reliefCells` cells high. */
  readonly slope: Float32Array
  /** 2 water, above 0 near it, 0 elsewhere. */
  readonly wet: Float32Array
  /** How built-up: 0 country, 1 the middle of a town. */
  readonly towns: Float32Array
  readonly fine: Float32Array
  readonly broad: Float32Array
  readonly geology: Float32Array
}

const reliefCells = 40

function inventHeights(side: number, seed: number): Float32Array {
  const heights = fractalNoise(side, { seed, widest: side / 3, octaves: 7 })
  for (let row = 0; row < side; row++) {
    for (let col = 0; col < side; col++) {
      const tilt = 1 - (row + col) / (2 * side)
      heights[row * side + col] = 0.6 * (heights[row * side + col] as number) + 0.45 * tilt
    }
  }
  return heights
}

function slopeOf(heights: Float32Array, side: number): Float32Array {
  const slope = new Float32Array(heights.length)
  for (let row = 0; row < side; row++) {
    for (let col = 0; col < side; col++) {
      const at = row * side + col
      const east = (heights[row * side + Math.min(side - 1, col + 1)] as number) - (heights[at] as number)
      const south = (heights[Math.min(side - 1, row + 1) * side + col] as number) - (heights[at] as number)
      slope[at] = reliefCells * (Math.abs(east) + Math.abs(south))
    }
  }
  return slope
}

const streamCellsMin = 2500
const pondStepsMin = 90

// A stream is as many cells wide as its basin calls for, and its banks are wet for a few cells more.
function wetnessOf({ cells, depth }: Drainage, side: number): Float32Array {
  const wet = new Float32Array(cells.length)
  for (let cell = 0; cell < cells.length; cell++) {
    if ((depth[cell] as number) >= pondStepsMin) wet[cell] = 2
    if ((cells[cell] as number) < streamCellsMin) continue
    const width = Math.min(4, Math.floor(Math.log2((cells[cell] as number) / streamCellsMin) / 2))
    soak(wet, side, cell, { width, bank: width + 4 })
  }
  return wet
}

function soak(wet: Float32Array, side: number, cell: number, { width, bank }: { width: number; bank: number }): void {
  const [row, col] = [Math.floor(cell / side), cell % side]
  for (let y = Math.max(0, row - bank); y <= Math.min(side - 1, row + bank); y++) {
    for (let x = Math.max(0, col - bank); x <= Math.min(side - 1, col + bank); x++) {
      const distance = Math.hypot(x - col, y - row)
      const wetness = distance <= width ? 2 : 1 - distance / (bank + 1)
      if (wetness > (wet[y * side + x] as number)) wet[y * side + x] = wetness
    }
  }
}

const towns = 14

// Towns lie low; each is a hump of density some kilometres wide.
function inventTowns(side: number, seed: number, heights: Float32Array): Float32Array {
  const density = new Float32Array(side * side)
  for (let town = 0; town < towns; town++) {
    const { row, col } = townPlace(side, seed + 101 * town, heights)
    const radius = 20 + 55 * hashed(town, seed + 5) ** 2
    const reach = Math.ceil(2.5 * radius)
    for (let y = Math.max(0, row - reach); y <= Math.min(side - 1, row + reach); y++) {
      for (let x = Math.max(0, col - reach); x <= Math.min(side - 1, col + reach); x++) {
        const nearness = Math.exp(-((x - col) ** 2 + (y - row) ** 2) / radius ** 2)
        density[y * side + x] = Math.max(density[y * side + x] as number, nearness)
      }
    }
  }
  return density
}

function townPlace(side: number, seed: number, heights: Float32Array): { row: number; col: number } {
  let best = { row: 0, col: 0, height: Number.POSITIVE_INFINITY }
  for (let attempt = 0; attempt < 6; attempt++) {
    const row = Math.floor(side * (0.08 + 0.84 * hashed(attempt, seed)))
    const col = Math.floor(side * (0.08 + 0.84 * hashed(attempt, seed + 1)))
    const height = heights[row * side + col] as number
    if (height < best.height) best = { row, col, height }
  }
  return best
}

function landAt(fields: Fields, cell: number): number {
  const [height, wet, fine, broad] = [
    at(fields.heights, cell),
    at(fields.wet, cell),
    at(fields.fine, cell),
    at(fields.broad, cell),
  ]
  if (wet >= 2) return 11
  if (height > 0.8) return height + 0.1 * fine > 0.87 ? 12 : 31
  const built = at(fields.towns, cell) + 0.5 * (fine - 0.5)
  if (built > 0.35 && at(fields.slope, cell) < 0.9) return builtLand(built)
  if (wet > 0.25 && at(fields.slope, cell) < 0.35 && broad + 0.3 * fine > 0.6) return fine > 0.52 ? 95 : 90
  if (height < 0.62 && broad < 0.5 && at(fields.slope, cell) < 0.5)
    return fine + at(fields.geology, cell) > 1.02 ? 82 : 81
  if (fine < 0.22) return 31
  if (fine > 0.68) return height > 0.6 ? 52 : 71
  return forest(height + 0.35 * (fine - 0.5))
}

function builtLand(built: number): number {
  if (built > 0.95) return 24
  if (built > 0.75) return 23
  return built > 0.52 ? 22 : 21
}

function forest(height: number): number {
  if (height < 0.58) return 41
  return height < 0.68 ? 43 : 42
}

// Steep ground sheds water and valley floors hold it; wet ground is in the dual groups.
function soilAt(fields: Fields, cell: number): number {
  const shed = at(fields.geology, cell) + 0.12 * at(fields.slope, cell) + 0.1 * (at(fields.fine, cell) - 0.5)
  const group = shed < 0.4 ? 1 : shed < 0.54 ? 2 : shed < 0.66 ? 3 : 4
  return at(fields.wet, cell) > 0.3 && group < 4 ? group + 4 : group
}

const at = (field: Float32Array, cell: number): number => field[cell] as number // a cell of the square
