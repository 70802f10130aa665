// pg-boss in its own process: node worker.ts <database>. Prints READY, ends with its input.
import { setTimeout as sleep } from 'node:timers/promises'
import { inflight } from '../inflight.ts'
import { benchResult } from '../payload.ts'
import { noteStart } from '../process/start-log.ts'
import { startBoss } from './queues.ts'

const [url] = process.argv.slice(2)
if (url === undefined) throw new Error('usage: worker.ts <database>')
const boss = await startBoss(url, 24, { supervise: true })

type Data = { readonly i: number; readonly ms?: number }
const soon = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 }
/** 500 jobs are fetched, run and completed as one set, and each has its own result. */
const inSets = { ...soon, batchSize: 500, localConcurrency: 2, burstWhenBatchFull: true, perJobResults: true } as const

await boss.work<Data>('noop', inSets, async (jobs) =>
  jobs.map(({ id, data }) => ({ id, status: 'completed' as const, output: benchResult(data.i) })),
)
await boss.work<Data>('slow', { ...soon, batchSize: 1, localConcurrency: 20 }, async ([job]) => {
  noteStart(job?.data.i ?? -1)
  await sleep(job?.data.ms)
  return benchResult(job?.data.i ?? -1)
})
await boss.work('chord', { ...soon, batchSize: 1 }, async ([job]) => {
  const children = await boss.getDependencies('chord', job?.id ?? '')
  let received = 0
  await inflight(children.length, 20, async (k) => {
    const child = children[k]
    if (child === undefined) return
    const [found] = await boss.findJobs(child.name, { id: child.id })
    if ((found?.output as { ok?: boolean } | undefined)?.ok === true) received++
  })
  return { received }
})
await boss.work<Data>('chain', inSets, (jobs) =>
  Promise.all(
    jobs.map(async ({ id }) => {
      const [before] = await boss.getDependencies('chain', id)
      const [found] = before === undefined ? [] : await boss.findJobs('chain', { id: before.id })
      const last = (found?.output as { i?: number } | undefined)?.i ?? 0
      return { id, status: 'completed' as const, output: benchResult(last + 1) }
    }),
  ),
)
console.log('READY')
process.stdin.on('end', () => process.exit(0)).resume()
