import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Claimed, Engine, JobId, Settlement, SubmitOptions, WorkerId } from '@headrace/engine'
import { benchInput, benchResult } from '../payload.ts'
import { addOne, noop } from './tasks.ts'

/** What a history is made of: jobs of two tasks, in two queues, some of an owner, some with tags. */
const KINDS: readonly { readonly task: typeof noop; readonly count: number; readonly options: SubmitOptions }[] = [
  { task: noop, count: 140, options: {} },
  { task: noop, count: 30, options: { owner: 'ada', tags: ['nightly'] } },
  { task: addOne, count: 30, options: { owner: 'bob', queue: 'geo' } },
]
const COUNT = KINDS.reduce((sum, { count }) => sum + count, 0)

/** Runs a few hundred jobs of several kinds to their ends, of which most succeed. @returns their ids */
export async function finishMixed(engine: Engine): Promise<readonly JobId[]> {
  for (const { task, count, options } of KINDS)
    await engine.submitMany(
      task,
      Array.from({ length: count }, (_, i) => benchInput(i)),
      options,
    )
  const { store } = engine
  const worker = randomUUID() as WorkerId
  const queues = { default: COUNT, geo: COUNT }
  await store.addWorker({ id: worker, name: 'bench', queues, leaseMs: 60_000 }, () => {})
  const nothing = { worker, settle: [], advance: [], tell: [], claim: [] }
  const claim = Object.entries(queues).map(([queue, slots]) => ({ queue, slots }))
  const { claimed } = await store.commit({ ...nothing, claim })
  assert.equal(claimed.length, COUNT, 'nothing else waits')
  await store.commit({ ...nothing, settle: claimed.map(settlement) })
  await store.removeWorker(worker)
  return claimed.map(({ lease }) => lease.jobId)
}

/** Two of a hundred fail, one is cancelled. */
function settlement({ lease }: Claimed, i: number): Settlement {
  const error = { code: 'task_threw', message: 'The tile is missing.', retryable: false }
  if (i % 50 === 7) return { lease, outcome: 'failed', error }
  if (i % 100 === 8) return { lease, outcome: 'cancelled', error: { ...error, code: 'cancelled' } }
  return { lease, outcome: 'succeeded', result: JSON.stringify(benchResult(i)) }
}
