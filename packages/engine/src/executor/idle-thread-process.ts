// A process of its own for thread-executor.test.ts: has one attempt executed in a thread, and nothing else to do.
import { recordedRequest } from './recorded-request.ts'
import { threadExecutor } from './thread-executor.ts'

const execute = threadExecutor({ module: new URL('./example-thread-tasks.ts', import.meta.url) })
process.stdout.write(String(await execute(recordedRequest({ input: 'done' }).request)))
