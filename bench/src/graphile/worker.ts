// graphile-worker in its own process: node worker.ts <database> <bench>. Prints READY, ends with its input.
import { Logger, type RunnerOptions, run } from 'graphile-worker'
import pg from 'pg'
import type { Bench } from '../peer.ts'
import { benchTasks, tellErrors } from './tasks.ts'

const CONCURRENCY = 24
const [url, bench] = process.argv.slice(2) as [string, Bench]
const pool = new pg.Pool({ connectionString: url, max: CONCURRENCY + 4 })
tellErrors(pool)

// Taking many jobs at once makes it several times faster under load; one alone comes sooner without, and an urgent one
// would wait behind all that were taken.
const tuned: Pick<RunnerOptions, 'preset'> = {
  preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
}
const isThroughput = bench === 'throughput' || bench === 'held' || bench === 'chain' || bench === 'chord'
await run({
  pgPool: pool,
  concurrency: CONCURRENCY,
  taskList: benchTasks(pool),
  noHandleSignals: true,
  logger: new Logger(() => () => {}),
  ...(isThroughput && tuned),
})
console.log('READY')
process.stdin.on('end', () => process.exit(0)).resume()
