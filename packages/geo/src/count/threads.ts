import { Worker } from 'node:worker_threads'
import { LayerDamagedError } from '../errors.ts'
import type { Selection } from '../select/selection.ts'
import type { CellAreas } from './count-tile.ts'
import type { CellCount } from './counts.ts'
import type { LayerStack } from './layer-stack.ts'
import type { ThreadData, ThreadReply, ThreadRequest } from './thread.ts'
import type { TileRef } from './tile.ts'

type Counting = {
  readonly stack: LayerStack
  readonly selection: Selection
  readonly threads: number
  readonly signal: AbortSignal | undefined
  readonly onProgress: (tile: TileRef) => void
  readonly areasOf: (tile: TileRef) => CellAreas
}

/**
 * Counts tiles in threads and yields their counts in the tiles' order, so that sums do not depend on which thread was quicker. A
 * thread is given its next tile when it has answered; all are ended when the caller stops, the signal aborts or one fails.
 */
export async function* countInThreads(tiles: readonly TileRef[], counting: Counting): AsyncGenerator<CellCount[]> {
  const answers = tiles.map(() => Promise.withResolvers<CellCount[]>())
  for (const { promise } of answers) promise.catch(() => {}) // seen where it is awaited, which may be never after a failure
  const fail = (error: unknown) => {
    for (const answer of answers) answer.reject(error)
  }
  const abort = () => fail(counting.signal?.reason)
  counting.signal?.addEventListener('abort', abort, { once: true })
  const queue = tiles.entries()
  const workers = Array.from({ length: Math.min(counting.threads, tiles.length) }, () =>
    startThread(counting, { queue, answers, fail }),
  )
  try {
    for (const answer of answers) yield await answer.promise
  } finally {
    counting.signal?.removeEventListener('abort', abort)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

type Dispatch = {
  readonly queue: IterableIterator<[number, TileRef]>
  readonly answers: readonly PromiseWithResolvers<CellCount[]>[]
  readonly fail: (error: unknown) => void
}

function startThread(counting: Counting, { queue, answers, fail }: Dispatch): Worker {
  const data: ThreadData = {
    layers: counting.stack.layers.map(({ handle }) => ({ layer: handle.layer, path: handle.path })),
    selection: counting.selection,
  }
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: data, name: 'headrace-geo-count' })
  const giveNext = () => {
    const next = queue.next()
    if (next.done) return
    const [index, tile] = next.value
    worker.postMessage({ index, tile, areas: counting.areasOf(tile) } satisfies ThreadRequest)
  }
  worker.on('message', (reply: ThreadReply) => {
    if ('damaged' in reply) return fail(new LayerDamagedError(reply.damaged, { cause: new Error(reply.message) }))
    answers[reply.index]?.resolve(reply.counts)
    counting.onProgress(reply.tile)
    giveNext()
  })
  worker.on('error', fail)
  worker.on('exit', (code) => fail(new Error(`A counting thread ended by itself with code ${code}.`)))
  giveNext()
  return worker
}
