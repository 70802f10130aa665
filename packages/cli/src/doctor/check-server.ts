import { stat } from 'node:fs/promises'
import { type Client, ProblemError } from '@headrace/client'
import { connect, type ServerChoice } from '../connection/connect.ts'
import { localServerPath } from '../connection/local-server.ts'
import { ServerUnknownError } from '../errors.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** Whether the server that the other commands would ask answers, and whether anyone takes jobs. */
export async function checkServer(choice: ServerChoice, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  try {
    const { client, url } = await connect(choice, env)
    const { owner, version } = await client.session()
    return [ok('Server', `${url} answers, version ${version}, as ${owner}`), await checkWorkers(client)]
  } catch (error) {
    return [describeFailure(error)]
  }
}

async function checkWorkers(client: Client): Promise<Finding> {
  try {
    const now = Date.now()
    const workers = await client.workers()
    const alive = workers.filter((worker) => Date.parse(worker.leaseUntil) > now)
    if (alive.length > 0)
      return ok('Workers', alive.map((worker) => `${worker.name} on ${worker.host.split('/')[0]}`).join(', '))
    return warn(
      'Workers',
      'none is alive, so jobs wait',
      'Start one with "headrace worker", or serve without --no-worker.',
    )
  } catch (error) {
    return warn(
      'Workers',
      `cannot be seen: ${(error as Error).message}`,
      'Use a key with the scope read-all or operate.',
    )
  }
}

function describeFailure(error: unknown): Finding {
  if (error instanceof ServerUnknownError) {
    return warn('Server', 'none is known', 'Start one with "headrace serve", or name one with --url or HEADRACE_URL.')
  }
  if (error instanceof ProblemError && (error.status === 401 || error.status === 403)) {
    return fail(
      'Server',
      `it refuses the key: ${error.message}`,
      'Give one with --key; "headrace keys create" makes one.',
    )
  }
  return fail('Server', (error as Error).message, 'Start it again with "headrace serve", or correct --url.')
}

/** The file holds a key; others on the machine must not read it. */
export async function checkLocalFile(dataDir: string): Promise<readonly Finding[]> {
  const path = localServerPath(dataDir)
  const found = await stat(path).catch(() => undefined) // not there: no server runs here
  if (!found || process.platform === 'win32' || (found.mode & 0o077) === 0) return []
  return [warn('Local key', `${path} can be read by others`, `chmod 600 ${path}`)]
}
