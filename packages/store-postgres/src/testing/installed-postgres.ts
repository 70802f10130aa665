import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, globSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

// What whoever starts a PostgreSQL of his own needs to know of the machine: tests, the bench, the crash campaign.

/** The account that packages make: PostgreSQL refuses to be run by root. */
const ACCOUNT = 'postgres'

/** The folder of the newest `initdb` and `postgres`: where Debian puts it, or where `pg_config` says. Undefined: there is none. */
export function postgresBinaries(): string | undefined {
  const versionOf = (path: string) => Number(/(\d+)\/bin$/.exec(path)?.[1])
  const debian = globSync('/usr/lib/postgresql/*/bin').sort((a, b) => versionOf(b) - versionOf(a))
  const configured = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim()
  return [...debian, configured ?? ''].find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  )
}

/** The command line that runs a program as somebody whom PostgreSQL accepts; a signal to it reaches the program itself. */
export function asPostgres(program: string, args: readonly string[]): [string, ...string[]] {
  if (!isRoot()) return [program, ...args]
  return ['setpriv', `--reuid=${ACCOUNT}`, `--regid=${ACCOUNT}`, '--clear-groups', program, ...args]
}

/** Lets that somebody have a folder. */
export function giveToPostgres(folder: string): void {
  if (isRoot()) spawnSync('chown', [`${ACCOUNT}:`, folder])
  else chmodSync(folder, 0o700)
}

/** A port on the loopback interface that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}
