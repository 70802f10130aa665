import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnreachableError } from '@headrace/client'
import type { Cli } from '../cli.ts'
import { type Connection, clientOf } from '../connection/connect.ts'
import { ServerUnknownError } from '../errors.ts'
import { liveLines } from '../terminal/live-lines.ts'

export type DemoServer = { readonly connection: Connection; readonly stop: () => Promise<void> }

/**
 * The server that is meant; or, where none was named and none runs on this machine, one for the occasion.
 * @param isNamed whether someone said which server; then no other will do
 */
export async function findDemoServer(
  cli: Cli,
  isNamed: boolean,
  connect: () => Promise<Connection>,
): Promise<DemoServer> {
  try {
    const connection = await connect()
    await connection.client.session()
    return { connection, stop: async () => undefined }
  } catch (error) {
    if (isNamed || !isNobodyThere(error)) throw error
    return startTemporaryServer(cli)
  }
}

function isNobodyThere(error: unknown): boolean {
  return error instanceof ServerUnknownError || error instanceof UnreachableError
}

async function startTemporaryServer({ terminal }: Cli): Promise<DemoServer> {
  terminal.note('No server runs, so one is started for the occasion.')
  const { startServer } = await import('../serve/local-server.ts') // the whole server, which most commands do without
  const dataDir = await mkdtemp(join(tmpdir(), 'headrace-demo-'))
  const removeData = () => rm(dataDir, { recursive: true, force: true })
  const lines = liveLines(terminal)
  const onProgress = (_fraction: number, message: string) => lines.show([`${message}…`])
  const asked = { dataDir, host: '127.0.0.1', port: 0, withWorker: true, onProgress }
  const server = await startServer(asked).catch(async (error) => {
    await removeData()
    throw error
  })
  lines.end()
  return {
    connection: { url: server.url, key: server.key, client: clientOf(server.url, server.key) },
    async stop() {
      await server.stop({ graceMs: 0 })
      await removeData()
    },
  }
}
