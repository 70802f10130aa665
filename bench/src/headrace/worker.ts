// A worker in its own process: node worker.ts <database>. Prints READY, runs until it is killed or its parent is gone.
import { createEngine } from '@headrace/engine'
import { openStore } from './open-store.ts'
import { benchTasks } from './tasks.ts'

const [url] = process.argv.slice(2)
if (url === undefined) throw new Error('usage: worker.ts <database>')
const engine = createEngine({ store: await openStore(url), tasks: benchTasks })
await engine.startWorker({ concurrency: Number(process.env.BENCH_CONCURRENCY ?? 200) })
console.log('READY')
process.stdin.on('end', () => process.exit(0)).resume()
