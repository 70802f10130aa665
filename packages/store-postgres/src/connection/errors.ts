import {
  EngineError,
  StoreFullError,
  StoreUnavailableError,
  StoreUnreachableError,
  StoreUnusableError,
} from '@headrace/engine'
import type { Address } from './address.ts'

/** What PostgreSQL calls an error (https://www.postgresql.org/docs/current/errcodes-appendix.html), or Node. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

/** 40001 serialization failure, 40P01 deadlock, 55P03 lock not available: the same may go through at the next try. */
const AGAIN = new Set(['40001', '40P01', '55P03'])

/** How often the same is tried again that went under in a deadlock with somebody else. */
const TRIES_MAX = 5

export async function tryAgain<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries >= TRIES_MAX || !AGAIN.has(codeOf(error) ?? '')) throw error
    }
  }
}

/**
 * 08: the connection; 57P: shutdown, crash, starting; 53300 too many connections, 53200 out of memory; 25006 a standby;
 * 25P03 idle in a transaction for too long.
 */
const UNAVAILABLE = /^(08...|57P0[1-5]|53300|53200|25006|25P03)$/
const NETWORK = /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN|ENOENT)/

/** Our terms for what the driver throws; anything else is passed on as it is. */
export function namedError(error: unknown, shown: string, waitedMs: number): unknown {
  if (error instanceof EngineError) return error
  const code = codeOf(error) ?? ''
  if (code === '53100' || code === 'ENOSPC') return new StoreFullError(shown, { cause: error })
  if (UNAVAILABLE.test(code) || NETWORK.test(code) || isCut(error)) {
    return new StoreUnavailableError(shown, Math.round(waitedMs), { cause: error })
  }
  return setupError(error, code, shown)
}

/** The driver has no code for a connection that ended while it was in use. */
function isCut(error: unknown): boolean {
  const { message = '' } = error as { message?: string }
  return /Connection terminated|not queryable|timeout expired|Client was closed/.test(message)
}

function setupError(error: unknown, code: string, shown: string): unknown {
  const because = (why: string, remedy: string) => new StoreUnusableError(shown, why, remedy, { cause: error })
  const { message = '' } = error as { message?: string }
  switch (code) {
    case '28P01':
      return because('it refused the user or the password', 'Correct them in the URL, or in pg_hba.conf.')
    case '28000':
      return because(`it refused the user: ${message}`, 'Correct the user in the URL, or pg_hba.conf on the server.')
    case '3D000':
      return because('there is no such database', 'Create it with createdb, or name another one in the URL.')
    case '42501':
      return because(
        `the user lacks a right: ${message}`,
        'Grant CREATE on the database, or make the schema and give it to the user.',
      )
    default:
      return /SASL|password must be a string/.test(message)
        ? because('it asks for a password', 'Put one into the URL.')
        : error
  }
}

/** Who opens a store for the first time wants to know what is wrong, and not that workers keep trying. */
export function firstError(error: unknown, { shown, config }: Address): unknown {
  if (!(error instanceof StoreUnavailableError)) return error
  const [why, remedy] = whyUnreachable(error.cause, config.connectionString ?? '')
  return new StoreUnreachableError(shown, why, remedy, { cause: error.cause })
}

function whyUnreachable(cause: unknown, url: string): readonly [why: string, remedy: string] {
  const { hostname, port } = URL.parse(url) ?? { hostname: '', port: '' }
  const place = `${hostname === '' ? 'localhost' : hostname}, port ${port === '' ? 5432 : port}`
  const code = codeOf(cause) ?? ''
  switch (code) {
    case 'ECONNREFUSED':
      return [`nobody listens at ${place}`, 'Start PostgreSQL there, or correct the host and the port in the URL.']
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return [`no machine is known as ${hostname}`, 'Correct the host in the URL, or the name service.']
    case '57P03':
      return [`PostgreSQL at ${place} is starting, or brings back what was in its log`, 'Try again in a moment.']
    case '53300':
      return [
        `PostgreSQL at ${place} takes no more connections`,
        'Raise its max_connections: a server takes up to five, a worker up to seven.',
      ]
    case '25006':
      return [`PostgreSQL at ${place} only reads: it is a standby`, 'Name the primary server in the URL.']
    default: {
      const { message = String(cause) } = cause as { message?: string }
      const remedy =
        'Look whether PostgreSQL runs there, and whether a firewall or pg_hba.conf keeps this machine away.'
      return [`${place} did not answer (${message})`, remedy]
    }
  }
}
