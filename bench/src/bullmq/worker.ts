// BullMQ's worker in its own process: node worker.ts <redis port>. Prints READY, ends with its input.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, Worker } from 'bullmq'
import { benchResult } from '../payload.ts'
import { noteStart } from '../process/start-log.ts'

const port = Number(process.argv[2])
const options = { connection: { host: '127.0.0.1', port, maxRetriesPerRequest: null }, concurrency: 200 }
const workers = [
  new Worker(
    'noop',
    async ({ data }: Job<{ readonly i: number; readonly ms?: number }>) => {
      if (data.ms !== undefined) {
        noteStart(data.i)
        await sleep(data.ms)
      }
      return benchResult(data.i)
    },
    options,
  ),
  new Worker('chord', async (job: Job) => Object.keys(await job.getChildrenValues()).length, options),
  new Worker(
    'chain',
    async (job: Job) => {
      const [last] = Object.values(await job.getChildrenValues<{ i: number }>())
      return benchResult((last?.i ?? 0) + 1)
    },
    options,
  ),
]
await Promise.all(workers.map((worker) => worker.waitUntilReady()))
console.log('READY')
process.stdin.on('end', () => process.exit(0)).resume()
