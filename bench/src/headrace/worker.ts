// A worker in its own process: node worker.ts <database>. Prints READY, runs until it is killed or its parent is gone.
import { createEngine } from '@headrace/engine'
import { openSqliteStore } from '@headrace/store-sqlite'
import { benchTasks } from './tasks.ts'

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('usage: worker.ts <database>')
const store = await openSqliteStore(path)
const engine = createEngine({ store, tasks: benchTasks })
await engine.startWorker({ concurrency: Number(process.env.BENCH_CONCURRENCY ?? 200) })
console.log('READY')
process.stdin.on('end', () => process.exit(0)).resume()
