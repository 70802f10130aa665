import { EngineError } from '@headrace/engine'
import { type Address, parseAddress } from '../connection/address.ts'
import { composed } from '../connection/composed.ts'
import { firstError } from '../connection/errors.ts'
import { Session } from '../connection/session.ts'
import type { Value } from '../connection/values.ts'
import { DatabaseClock } from '../database-clock.ts'
import { refuseOldServer, versionOf } from '../migrate.ts'
import { migrations } from '../migrations.ts'
import { judgeBloat, type TableRow } from './bloat.ts'
import { type Diagnosis, fail, ok, warn } from './diagnosis.ts'
import { judgeOldTransactions, OLD_SECONDS, OLD_XIDS, type OldRow } from './old-transactions.ts'
import { listening, oldTransactions, serverSettings, tableHealth } from './statements.ts'

export type DiagnoseOptions = {
  readonly schema?: string
  /** This machine's clock, in milliseconds since 1970. */
  readonly now?: () => number
  /** From when on a transaction is called long. Default 60. */
  readonly oldSeconds?: number
}

/** Beyond this, instants in logs of this machine are misleading beside those of jobs. */
const SKEW_MS_WARN = 1_000
const CONNECTIONS_SHARE_WARN = 0.85

/**
 * Looks at a store in PostgreSQL and its server for what makes it slow or unsafe, and says what to do about it. Nothing is
 * changed: a schema that is missing stays missing.
 * @returns at least one for each subject that could be looked at; never throws for what it finds
 * @example
 * for (const { outcome, detail, remedy } of await diagnosePostgres(url)) console.log(outcome, detail, remedy)
 */
export async function diagnosePostgres(url: string, options: DiagnoseOptions = {}): Promise<readonly Diagnosis[]> {
  try {
    const address = parseAddress(url, options.schema)
    const settings = { default_transaction_read_only: 'on', enable_seqscan: 'on' }
    const session = await Session.open(address, 'doctor', { settings }).catch((error: unknown) => {
      throw firstError(error, address)
    })
    try {
      return await examine(session, address, options)
    } finally {
      await session.close()
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    return [fail('store', error.message, 'Correct --store or HEADRACE_STORE, or what it names.')]
  }
}

async function examine(session: Session, address: Address, options: DiagnoseOptions): Promise<readonly Diagnosis[]> {
  await refuseOldServer(session, address)
  const { schema, shown } = address
  const version = await versionOf(session, address)
  const { oldSeconds = OLD_SECONDS } = options
  const [settings] = await ask<SettingsRow>(session, serverSettings, [])
  const old = await ask<OldRow>(session, oldTransactions, [oldSeconds, OLD_XIDS])
  const server = [
    ...judgeOldTransactions(old),
    await judgeClock(session, options.now ?? Date.now),
    ...(settings === undefined ? [] : [judgeDurability(settings), judgeConnections(settings)]),
  ]
  if (version === undefined) {
    return [
      warn('store', `${shown} answers, and has no schema ${schema} yet`, 'The first "headrace serve" makes it.'),
      ...server,
    ]
  }
  const tables = await ask<TableRow>(session, tableHealth, [schema])
  const { autovacuum = 'on' } = settings ?? {}
  return [
    judgeVersion(version, shown),
    ...judgeBloat(tables, { schema, autovacuum }),
    ...judgeListeners(await ask<ListeningRow>(session, listening, [])),
    ...server,
  ]
}

async function ask<Row>(session: Session, sql: string, values: readonly Value[]): Promise<readonly Row[]> {
  return session.run<Row>(composed(sql), values)
}

function judgeVersion(version: number, shown: string): Diagnosis {
  if (version === migrations.length) return ok('store', `${shown} answers, its schema is up to date`)
  const detail = `${shown} answers, its schema is ${migrations.length - version} steps behind this version`
  return warn('store', detail, 'The next "headrace serve" or "headrace worker" of this version brings it up to date.')
}

type ListeningRow = { readonly host: string; readonly pid: number; readonly is_listening: boolean }

/** Whoever does not listen learns of new jobs only when it looks by itself, once a second. */
function judgeListeners(processes: readonly ListeningRow[]): readonly Diagnosis[] {
  const deaf = processes.filter(({ is_listening: isListening }) => !isListening)
  if (deaf.length === 0) return [ok('listeners', `${processes.length} processes with workers, and all listen`)]
  const remedy =
    'Its jobs begin up to a second late. Restart it; where PgBouncer stands between, use session pooling, since listening needs it.'
  return deaf.map(({ host, pid }) =>
    warn('listeners', `process ${pid} on ${host} has workers and does not listen`, remedy),
  )
}

async function judgeClock(session: Session, now: () => number): Promise<Diagnosis> {
  const clock = new DatabaseClock()
  await clock.measure(session, 5)
  const skewMs = Math.round(now() - clock.now())
  if (Math.abs(skewMs) <= SKEW_MS_WARN)
    return ok('clock', `this machine's clock and the database's agree to ${Math.abs(skewMs)} ms`)
  const detail = `this machine's clock is ${Math.abs(skewMs)} ms ${skewMs > 0 ? 'ahead of' : 'behind'} the database's`
  const remedy =
    'Jobs go by the database’s clock and are safe; keep both set by NTP, or logs of this machine do not fit their times.'
  return warn('clock', detail, remedy)
}

type SettingsRow = {
  readonly fsync: string
  readonly synchronous_commit: string
  readonly full_page_writes: string
  readonly autovacuum: string
  readonly connections: number
  readonly connections_max: number
}

function judgeDurability({ fsync, synchronous_commit: commit, full_page_writes: pages }: SettingsRow): Diagnosis {
  const off = [
    ...(fsync === 'off' ? ['fsync'] : []),
    ...(commit === 'off' ? ['synchronous_commit'] : []),
    ...(pages === 'off' ? ['full_page_writes'] : []),
  ]
  if (off.length === 0) return ok('durability', 'what is committed is on the disk')
  const remedy = 'Set them to on, and reload: with the power, jobs that were accepted may be lost.'
  return warn('durability', `${off.join(' and ')} are off on this server`, remedy)
}

function judgeConnections({ connections, connections_max: most }: SettingsRow): Diagnosis {
  const detail = `${connections} of ${most} connections are in use`
  if (connections < most * CONNECTIONS_SHARE_WARN) return ok('connections', detail)
  return warn('connections', detail, 'Raise max_connections: a server takes up to five, a worker up to seven.')
}
