// A whole program: opens the store that its argument names, runs one job, and closes the store.
import { createEngine, task } from '@headrace/engine'
import { openPostgresStore } from '../index.ts'

const [url = ''] = process.argv.slice(2)
const store = await openPostgresStore(url)
const double = task({ name: 'double', run: (n: number) => n * 2 })
const engine = createEngine({ store, tasks: [double] })
const worker = await engine.startWorker()
const { id } = await engine.submit(double, 21)
console.log(await engine.result(id))
await worker.stop()
await store[Symbol.asyncDispose]()
console.log('closed')
