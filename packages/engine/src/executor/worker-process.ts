// A worker of its own for process-executor.test.ts, there to be killed: runs the `sh` script of its first argument.
import { once } from 'node:events'
import { orphanWatcher } from './orphan-watcher.ts'
import { processExecutor } from './process-executor.ts'
import { recordedRequest } from './recorded-request.ts'

const [script = '', doing] = process.argv.slice(2)
const { request, recorder } = recordedRequest()
const running = processExecutor({ command: ['sh', '-c', script] })(request)
await recorder.logged('ready')
if (doing === 'lose the watcher first') await loseWatcher()
process.stdout.write('ready\n')
await running

async function loseWatcher(): Promise<void> {
  const shell = orphanWatcher.shell
  shell?.kill('SIGKILL')
  if (shell) await once(shell, 'exit')
}
