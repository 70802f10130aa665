// A worker of a documents campaign: worker-process.ts FOLDER. It works until it is told to stop, or killed.
import { openPlace } from './place.ts'

const place = await openPlace(process.argv[2] ?? '')
const worker = await place.engine.startWorker()
process.send?.('ready')
await new Promise((resolve) => process.once('message', resolve))
await worker.stop({ graceMs: 5_000 })
await place[Symbol.asyncDispose]()
process.exit()
