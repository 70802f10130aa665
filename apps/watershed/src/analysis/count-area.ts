import type { Flow } from '@headrace/engine'
import { type Area, type CellCounts, mergeCounts } from '@headrace/geo'
import type { TileTasks } from '../tile/tile-tasks.ts'
import type { LayerVersion, TilePlan } from '../tile/tile-work.ts'

/** How an area is split. */
export type TileSettings = {
  /** Rows and columns of a tile, a multiple of 256. */
  readonly tileSide: number
  /** The most jobs that one area becomes; where it has more tiles, a job counts several. */
  readonly jobsMax: number
}

/** Each job's input holds the area, so a very detailed one becomes fewer jobs: at most so much of it is stored in all. */
const AREA_BYTES_MAX = 16_000_000
/** So many of a workflow's tiles are in the queue at once, so that another one's need not wait for all of them. */
const TILES_AT_ONCE = 32
/** Of the whole: the tiles; what comes before and after is brief. */
const PLANNED = 0.02
const COUNTED = 0.99

/** What counting an area takes. */
export type AreaCount = {
  readonly area: Area
  readonly layers: readonly LayerVersion[]
  readonly optional?: LayerVersion | undefined
}

/**
 * Counts an area on layers within a workflow: one durable job for each tile, so that after a crash only tiles without a
 * result are counted again, and each is counted once. They are called one by one rather than by `flow.map`, which gives its
 * outcomes together at the end: so progress is told as each tile ends.
 */
export async function countArea(
  flow: Flow,
  { planTiles, countTile }: TileTasks,
  { area, layers, optional, ...settings }: AreaCount & TileSettings,
): Promise<CellCounts> {
  flow.progress(0, 'planning the tiles')
  const plan = await flow.call(planTiles, {
    area,
    layers,
    ...(optional && { optional }),
    tileSide: settings.tileSide,
    batchesMax: jobsOf(area, settings.jobsMax),
  })
  if (plan.leftOut !== undefined) flow.log('warn', `Left out: ${plan.leftOut}`)
  const inputs = plan.batches.map((tiles) => ({ area, layers: plan.layers, tiles }))
  const report = tileReport(flow, plan)
  const parts = await eachInOrder(inputs, TILES_AT_ONCE, async (input) => {
    const counts = await flow.call(countTile, input)
    report(counts.cells, input.tiles.length)
    return counts
  })
  const counts = parts.length > 0 ? mergeCounts(parts) : noCells(plan.layers)
  warnOf(flow, counts)
  return counts
}

function jobsOf(area: Area, jobsMax: number): number {
  return Math.max(1, Math.min(jobsMax, Math.floor(AREA_BYTES_MAX / JSON.stringify(area).length)))
}

/** Tells of progress as tiles end, by cells, for tiles differ; at most once a percent. */
function tileReport(flow: Flow, { batches }: TilePlan): (cells: number, tiles: number) => void {
  const all = batches.flat()
  const cellsInAll = all.reduce((sum, tile) => sum + tile.cells, 0)
  let [cellsDone, tilesDone, percentTold] = [0, 0, -1]
  return (cells, tiles) => {
    cellsDone += cells
    tilesDone += tiles
    const fraction = PLANNED + (COUNTED - PLANNED) * (cellsDone / cellsInAll)
    const percent = Math.floor(fraction * 100)
    if (percent === percentTold) return
    percentTold = percent
    flow.progress(fraction, `counted ${tilesDone} of ${all.length} tiles`)
  }
}

/** Runs `fn` for each item, at most so many at once, and gives what it gave in the items' order. */
async function eachInOrder<Item, Value>(
  items: readonly Item[],
  atOnce: number,
  fn: (item: Item) => Promise<Value>,
): Promise<Value[]> {
  const values: Value[] = []
  const left = items.entries()
  const runNext = async () => {
    for (const [index, item] of left) values[index] = await fn(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, runNext))
  return values
}

/** An area so small or so thin that no cell's centre lies in it. */
function noCells(layers: readonly LayerVersion[]): CellCounts {
  return { layers, rule: 'centre', counts: [], cells: 0, areaM2: 0, isPartial: false }
}

function warnOf(flow: Flow, { layers, cells, isPartial }: CellCounts): void {
  const [first] = layers
  if (cells === 0) flow.log('warn', `No cell of ${first?.name} has its centre in the area, so nothing is counted.`)
  if (isPartial) flow.log('warn', `The area reaches beyond ${first?.name}; only what lies on it is counted.`)
}
