// A counting thread: opens the layers once, then counts each tile it is sent. It loads no projection library, since the area comes
// in cells of the grid.
import { parentPort, workerData } from 'node:worker_threads'
import type { Layer } from '../catalogue/layer.ts'
import { LayerHandle } from '../catalogue/layer-handle.ts'
import { LayerDamagedError } from '../errors.ts'
import type { Selection } from '../select/selection.ts'
import { type CellAreas, countTileSync } from './count-tile.ts'
import type { CellCount } from './counts.ts'
import { stackLayers } from './layer-stack.ts'
import type { TileRef } from './tile.ts'

export type ThreadData = { readonly layers: readonly { layer: Layer; path: string }[]; readonly selection: Selection }
export type ThreadRequest = { readonly index: number; readonly tile: TileRef; readonly areas: CellAreas }
export type ThreadReply =
  | { readonly index: number; readonly tile: TileRef; readonly counts: CellCount[] }
  | { readonly damaged: string; readonly message: string }

const { layers, selection }: ThreadData = workerData

function reply(message: ThreadReply): void {
  parentPort?.postMessage(message)
}

try {
  const handles = layers.map(({ layer, path }) => new LayerHandle(layer, path))
  const stack = stackLayers(handles, () => true) // the caller compared them
  parentPort?.on('message', ({ index, tile, areas }: ThreadRequest) => {
    guarded(() => reply({ index, tile, counts: countTileSync(stack, tile, { selection, areas }) }))
  })
} catch (error) {
  guarded(() => {
    throw error
  })
}

// A damaged layer is data for the caller; anything else is our own fault and ends the thread.
function guarded(count: () => void): void {
  try {
    count()
  } catch (error) {
    if (!(error instanceof LayerDamagedError)) throw error
    reply({ damaged: error.layerName, message: error.message })
  }
}
