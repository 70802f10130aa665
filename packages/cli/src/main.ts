import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Types are stripped and code is compiled at the first run only: a command then starts in a fifth of the time. A folder
// of this user's own, since code is read back from it.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'headrace'))

// Who reads the output may stop reading, as `headrace jobs | head` does; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const { run } = await import('./program.ts') // after the cache is there
const { processTerminal } = await import('./terminal/terminal.ts')
process.exitCode = await run(process.argv.slice(2), processTerminal(process), process.env)
