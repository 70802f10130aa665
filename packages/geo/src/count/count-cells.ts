import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import type { Area } from '../area/area.ts'
import { bboxOfArea } from '../area/area.ts'
import type { OnProgress } from '../catalogue/add-layer.ts'
import type { LayerHandle } from '../catalogue/layer-handle.ts'
import { isSameCrs } from '../crs/crs.ts'
import { AreaOutsideLayersError } from '../errors.ts'
import { cellAreasM2 } from '../grid/cell-area.ts'
import type { CellWindow } from '../grid/grid.ts'
import { type CellRule, type Selection, selectArea } from '../select/selection.ts'
import { type CellAreas, countTileSync } from './count-tile.ts'
import { type CellCount, type CellCounts, CountSum } from './counts.ts'
import { type LayerStack, stackLayers } from './layer-stack.ts'
import { countInThreads } from './threads.ts'
import { reachesBeyond, requireTile, type TileRef, tileSideDefault, tilesOfSelection, windowOnGrid } from './tile.ts'

export type CountCellsOptions = {
  /** One to group by its values, several to group by their combinations. All on the grid of the first. */
  readonly layers: readonly LayerHandle[]
  readonly area: Area
  /** `centre` where left out. */
  readonly rule?: CellRule | undefined
  /** Threads to count in; 0 counts in the caller's, tile by tile. Left out: 0 for a small area, else up to 4. */
  readonly threads?: number | undefined
  /** Count only the tiles for which it says true. */
  readonly tileFilter?: ((tile: TileRef) => boolean) | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Below this many cells starting threads (some 0.1 s) costs more than it saves. */
const inlineCellsMax = 16_000_000
const threadsMax = 4

/**
 * Counts the cells of an area by the values that one or several layers hold there. Layers are read block by block, so memory does
 * not grow with the area; counting goes on in threads where that pays, and its outcome does not depend on them.
 *
 * Cells beyond the first layer are not counted (`isPartial` says so); cells that another layer lacks count as null there.
 *
 * @returns counts of every combination met, missing values as null
 * @throws {LayersMissingError | GridMismatchError} for layers that cannot be counted together
 * @throws {AreaOutsideLayersError} when the area's bounds miss the first layer
 * @throws {LayerDamagedError} when a layer's file cannot be read
 * @throws the signal's reason when it is aborted, within some tens of milliseconds
 * @example
 * using land = await openLayer(catalogue, 'nlcd-2019')
 * using soil = await openLayer(catalogue, 'soil')
 * await countCells({ layers: [land, soil], area }) // { counts: [{ values: [11, 2], cells: 434, areaM2: 390600 }, …], … }
 */
export async function countCells(options: CountCellsOptions): Promise<CellCounts> {
  const { layers, area, rule = 'centre', signal, onProgress } = options
  signal?.throwIfAborted()
  const stack = stackLayers(layers, isSameCrs)
  const selection = selectionOn(stack, area, rule)
  const tiles = tilesOfSelection(selection, stack.grid, tileSideDefault).filter(options.tileFilter ?? (() => true))
  const threads = options.threads ?? defaultThreads(tiles)
  const counted = {
    stack,
    selection,
    signal,
    onProgress: progressOf(tiles, onProgress),
    areasOf: (tile: TileRef) => areasOf(stack, tile),
  }
  const parts = threads === 0 ? countInline(tiles, counted) : countInThreads(tiles, { ...counted, threads })
  const sum = new CountSum()
  for await (const counts of parts) sum.add(counts)
  onProgress?.(1, 'counted')
  return sum.result(aboutCounts(stack, selection))
}

/**
 * Splits an area into tiles, for example to count each in a job of its own: `tilesOfArea`, `countTile` for each, `mergeCounts`.
 * @param options.tileSide rows and columns of a tile, a multiple of 256; 512 where left out
 * @returns the tiles that hold selected cells, row by row; none where the area selects no cell
 * @throws {AreaOutsideLayersError} when the area's bounds miss the layer
 * @example for (const tile of tilesOfArea(land, area)) parts.push(await countTile([land, soil], area, tile))
 */
export function tilesOfArea(
  layer: LayerHandle,
  area: Area,
  options: { rule?: CellRule; tileSide?: number } = {},
): TileRef[] {
  const stack = stackLayers([layer], isSameCrs)
  const selection = selectionOn(stack, area, options.rule ?? 'centre')
  return tilesOfSelection(selection, stack.grid, options.tileSide ?? tileSideDefault)
}

/**
 * Counts one tile of an area; see `countCells`. It holds up the event loop for the some milliseconds that a tile takes.
 * @throws {TileRefInvalidError} when the tile is not a window of the first layer's grid
 */
export async function countTile(
  layers: readonly LayerHandle[],
  area: Area,
  tile: TileRef,
  rule: CellRule = 'centre',
): Promise<CellCounts> {
  const stack = stackLayers(layers, isSameCrs)
  requireTile(tile, stack.grid)
  const selection = selectionOn(stack, area, rule)
  const counts = countTileSync(stack, tile, { selection, areas: areasOf(stack, tile) })
  const sum = new CountSum()
  sum.add(counts)
  return sum.result(aboutCounts(stack, selection))
}

// An area is put on a grid once, however many of its tiles are counted.
const selections = new WeakMap<Area, Map<string, Selection>>()

function selectionOn({ grid, layers }: LayerStack, area: Area, rule: CellRule): Selection {
  const crs = layers[0]?.handle.layer.crs
  if (!crs) throw new RangeError('A stack holds at least one layer.')
  const key = JSON.stringify([crs.proj4, grid, rule])
  const known = selections.get(area) ?? new Map<string, Selection>()
  const selection = known.get(key) ?? selectArea(area, { crs, grid, rule })
  selections.set(area, known.set(key, selection))
  if (windowOnGrid(selection, grid).rows === 0) {
    throw new AreaOutsideLayersError(
      bboxOfArea(area),
      layers.slice(0, 1).map(({ handle }) => handle.layer),
    )
  }
  return selection
}

function areasOf({ grid, layers }: LayerStack, tile: CellWindow): CellAreas {
  const crs = layers[0]?.handle.layer.crs
  if (!crs) throw new RangeError('A stack holds at least one layer.')
  const rowsM2 = cellAreasM2(crs, grid, crs.isEqualArea ? { ...tile, rows: 1 } : tile)
  return crs.isEqualArea ? { constantM2: rowsM2[0] ?? 0 } : { rowsM2 }
}

function aboutCounts(
  { layers, grid }: LayerStack,
  selection: Selection,
): Pick<CellCounts, 'layers' | 'rule' | 'isPartial'> {
  return {
    layers: layers.map(({ handle }) => ({ name: handle.layer.name, sha256: handle.layer.sha256 })),
    rule: selection.rule,
    isPartial: reachesBeyond(selection, grid),
  }
}

function defaultThreads(tiles: readonly TileRef[]): number {
  const cells = tiles.reduce((sum, tile) => sum + tile.cells, 0)
  return cells <= inlineCellsMax ? 0 : Math.min(threadsMax, availableParallelism(), tiles.length)
}

function progressOf(tiles: readonly TileRef[], onProgress: OnProgress | undefined): (tile: TileRef) => void {
  const all = tiles.reduce((sum, tile) => sum + tile.cells, 0)
  let done = 0
  return (tile) => {
    done += tile.cells
    onProgress?.(done / all, `counted ${done} of ${all} cells`)
  }
}

type Counting = {
  readonly stack: LayerStack
  readonly selection: Selection
  readonly signal: AbortSignal | undefined
  readonly onProgress: (tile: TileRef) => void
  readonly areasOf: (tile: TileRef) => CellAreas
}

async function* countInline(tiles: readonly TileRef[], counting: Counting): AsyncGenerator<CellCount[]> {
  const { stack, selection, areasOf } = counting
  for (const tile of tiles) {
    counting.signal?.throwIfAborted()
    yield countTileSync(stack, tile, { selection, areas: areasOf(tile) })
    counting.onProgress(tile)
    await setImmediate()
  }
}
