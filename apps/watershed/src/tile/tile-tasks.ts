import { availableParallelism } from 'node:os'
import { type Executor, type Task, task, thread } from '@headrace/engine'
import type { Catalogue, CellCounts } from '@headrace/geo'
import type { CountTiles, PlanTiles, TilePlan, TileWork } from './tile-work.ts'

/** The queue of everything that reads rasters: `headrace worker --queues geo=4` takes such jobs only. */
export const GEO_QUEUE = 'geo'

/** Of one attempt. A tile takes milliseconds from a warm disk; this is for a disk that answers no more. */
const TIMEOUT_MS = 300_000
/** Reading a file may fail for a moment; what is wrong for good costs two repetitions. */
const RETRY = { attempts: 3, backoff: 'exponential', delayMs: 500 } as const
/** Counting is CPU work; more threads than processors only cost memory. */
const THREADS_MAX = 8

/** A key holds the layers' hashes, so a result is never that of other rasters; after so long it only takes room. */
const CACHE = { ttlMs: 30 * 86_400_000 } as const

export type TileTasks = {
  readonly planTiles: Task<PlanTiles, TilePlan>
  readonly countTile: Task<CountTiles, CellCounts>
}

/** The tasks that read rasters, in threads of their own. They are not offered over HTTP; workflows made their input. */
export function tileTasks(catalogue: Catalogue): TileTasks {
  const threads = thread({
    module: new URL('./tile-thread.ts', import.meta.url),
    sizeMax: Math.min(THREADS_MAX, availableParallelism()),
  })
  return {
    planTiles: task<PlanTiles, TilePlan>({
      name: 'watershed.plan-tiles',
      title: 'Tiles of an area',
      queue: GEO_QUEUE,
      retry: RETRY,
      timeoutMs: TIMEOUT_MS,
      run: given(threads, (plan: PlanTiles) => ({ catalogue, plan })),
    }),
    countTile: task<CountTiles, CellCounts>({
      name: 'watershed.count-tile',
      title: 'Cells of a tile',
      queue: GEO_QUEUE,
      // Its input names each layer with its hash, which is all that the counts depend on besides.
      cache: CACHE,
      retry: RETRY,
      timeoutMs: TIMEOUT_MS,
      run: given(threads, (count: CountTiles) => ({ catalogue, count })),
    }),
  }
}

/** Adds to a job's input what the thread must know besides, and what differs between machines and so is not stored. */
function given<Input>({ kind, execute }: Executor, toWork: (input: Input) => TileWork): Executor {
  return { kind, execute: (request) => execute({ ...request, input: toWork(request.input as Input) }) } // sound: see tileTasks
}
