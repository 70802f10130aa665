// BullMQ's worker in its own process: node worker.ts <redis port>. Prints READY, ends with its input.
import { type Job, Worker } from 'bullmq'
import { type BenchInput, benchResult } from '../payload.ts'

const port = Number(process.argv[2])
const options = { connection: { host: '127.0.0.1', port, maxRetriesPerRequest: null }, concurrency: 200 }
const workers = [
  new Worker('noop', async (job: Job<BenchInput>) => benchResult(job.data.i), options),
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
