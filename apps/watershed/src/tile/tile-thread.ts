// What the threads of tile-tasks.ts run: planning and counting share the threads, which load the raster code once.
import type { ThreadJob } from '@headrace/engine'
import {
  type Area,
  type Catalogue,
  type CellCounts,
  countCells,
  countTile,
  GridMismatchError,
  type LayerHandle,
  mergeCounts,
  openLayer,
  tilesOfArea,
} from '@headrace/geo'
import { LayerReplacedError } from '../errors.ts'
import { toBatches } from './batches.ts'
import type { CountTiles, LayerVersion, PlanTiles, TileOutcome, TilePlan, TileWork } from './tile-work.ts'

export default function work(input: TileWork, job: ThreadJob): Promise<TileOutcome> {
  return 'plan' in input ? planTiles(input.plan, input.catalogue) : countTiles(input.count, input.catalogue, job)
}

async function planTiles(input: PlanTiles, catalogue: Catalogue): Promise<TilePlan> {
  const { area, layers, optional, tileSide, batchesMax } = input
  using opened = await openLayers(catalogue, layers)
  const [first] = opened.handles
  if (!first) throw new RangeError('A plan counts at least one layer.')
  const batches = toBatches(tilesOfArea(first, area, { tileSide }), batchesMax)
  if (!optional) return { layers, batches }
  const leftOut = await whyNotAlong(opened.handles, area, { catalogue, optional })
  return leftOut === undefined ? { layers: [...layers, optional], batches } : { layers, batches, leftOut }
}

/** Why a layer cannot be counted along with others; undefined where it can. */
async function whyNotAlong(
  handles: readonly LayerHandle[],
  area: Area,
  { catalogue, optional }: { catalogue: Catalogue; optional: LayerVersion },
): Promise<string | undefined> {
  using other = await openLayers(catalogue, [optional])
  try {
    // Compares the grids, and counts nothing.
    await countCells({ layers: [...handles, ...other.handles], area, threads: 0, tileFilter: () => false })
    return undefined
  } catch (error) {
    if (error instanceof GridMismatchError) return error.message
    throw error
  }
}

async function countTiles(input: CountTiles, catalogue: Catalogue, job: ThreadJob): Promise<CellCounts> {
  const { area, layers, tiles } = input
  using opened = await openLayers(catalogue, layers)
  const parts: CellCounts[] = []
  for (const [index, tile] of tiles.entries()) {
    job.signal.throwIfAborted()
    if (index > 0) job.progress(index / tiles.length, `counted ${index} of ${tiles.length} tiles`)
    parts.push(await countTile(opened.handles, area, tile))
  }
  return mergeCounts(parts)
}

type OpenedLayers = Disposable & { readonly handles: readonly LayerHandle[] }

/** @throws {LayerReplacedError} when a layer is another than the one that was asked for */
async function openLayers(catalogue: Catalogue, versions: readonly LayerVersion[]): Promise<OpenedLayers> {
  using stack = new DisposableStack()
  const handles: LayerHandle[] = []
  for (const { name, sha256 } of versions) {
    const handle = stack.use(await openLayer(catalogue, name))
    if (handle.layer.sha256 !== sha256) throw new LayerReplacedError(name)
    handles.push(handle)
  }
  const kept = stack.move()
  return { handles, [Symbol.dispose]: () => kept.dispose() }
}
