import { StoreNotOursError, StoreTooNewError, StoreUnusableError } from '@headrace/engine'
import type { Address } from './connection/address.ts'
import type { Session } from './connection/session.ts'
import { migrations } from './migrations.ts'

const SERVER_MIN = 15
/** A large table takes its time to be changed, and whoever waits for that waits as long. */
const ANSWER_MS = 6 * 3_600_000

/**
 * Makes the schema when it is missing, and brings it up to date; one process at a time.
 * @throws {StoreUnusableError} when the server is too old, or the user may not make the schema
 * @throws {StoreNotOursError} when the schema belongs to something else; it is left untouched
 * @throws {StoreTooNewError} when a newer Headrace made it
 */
export async function migrate(session: Session, address: Address): Promise<void> {
  await refuseOldServer(session, address)
  if ((await versionOf(session, address)) === migrations.length) return
  await session.script('begin')
  try {
    await session.script(
      `select pg_advisory_xact_lock(hashtext('headrace migrations of ${address.schema}'))`,
      ANSWER_MS,
    )
    const version = await versionOf(session, address)
    if (version === undefined) await makeSchema(session, address)
    for (const sql of migrations.slice(version ?? 0)) await session.script(sql, ANSWER_MS)
    await session.script(`update headrace_schema set version = ${migrations.length}`)
    await session.script('commit')
  } catch (error) {
    // What cannot be rolled back is rolled back by the end of its connection.
    await session.script('rollback').catch(() => {})
    throw error
  }
}

/** @throws {StoreUnusableError} when it is older than is supported */
export async function refuseOldServer(session: Session, { shown }: Address): Promise<void> {
  const [row] = await session.script(`select current_setting('server_version') as version`)
  const version = String(row?.version)
  if (Number.parseInt(version, 10) >= SERVER_MIN) return
  throw new StoreUnusableError(
    shown,
    `it is PostgreSQL ${version}`,
    `Headrace needs PostgreSQL ${SERVER_MIN} or later.`,
  )
}

/** @returns how far the schema has come, or undefined where there is nothing of ours yet */
export async function versionOf(session: Session, { schema, shown }: Address): Promise<number | undefined> {
  const [found] = await session.script(`
    select to_regclass('${schema}.headrace_schema') is not null as is_ours,
      (select count(*)::int from pg_class where relnamespace = to_regnamespace('${schema}')) as relations`)
  if (found?.is_ours !== true) {
    if (Number(found?.relations) > 0) throw new StoreNotOursError(shown, `its schema ${schema} has other tables`)
    return undefined
  }
  const [row] = await session.script(`select version from ${schema}.headrace_schema`)
  const version = Number(row?.version)
  if (version > migrations.length) throw new StoreTooNewError(shown, version, migrations.length)
  return version
}

async function makeSchema(session: Session, { schema }: Address): Promise<void> {
  await session.script(`create schema if not exists ${schema}`)
  await session.script(
    'create table headrace_schema (version integer not null); insert into headrace_schema values (0)',
  )
}
