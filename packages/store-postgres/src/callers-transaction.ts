import {
  type Enqueued,
  type Hint,
  HintCollector,
  type NewJob,
  namesOfJobs,
  TransactionRefusedError,
} from '@headrace/engine'
import type { Client } from 'pg'
import { deleteNotes } from './artifact-names.ts'
import { composed } from './connection/composed.ts'
import type { Call } from './connection/pipeline.ts'
import type { Prepared } from './connection/prepared.ts'
import { type Questions, Session } from './connection/session.ts'
import { Transaction } from './connection/transaction.ts'
import { encodeValue, type Value } from './connection/values.ts'
import type { Context } from './context.ts'
import { placeRoots } from './deployments.ts'
import { enqueueKeyed, laneKeyOf } from './enqueue.ts'
import { holdTime } from './hold.ts'
import { Ledger } from './ledger.ts'
import type { Writer } from './writer.ts'

/** How soon it is looked whether a caller's transaction is over; each look is further from the last one than that was. */
const LOOK_MS = 1
const LOOK_MS_MAX = 50

const identify = composed(`
  select current_setting('search_path') as search_path, pg_current_xact_id()::text as xact,
    (select system_identifier::text from pg_control_system()) || ' ' || current_database() as place`)
/** The database, among all that there are. */
export const placeOnly = composed(`
  select (select system_identifier::text from pg_control_system()) || ' ' || current_database() as place`)
const hasSchema = composed(`select to_regclass($1 || '.headrace_schema') is not null as found`)
const setPath = composed(`select set_config('search_path', $1, true)`)
const isOver = composed(`select pg_xact_status($1::xid8) as status`)
const savepoint = composed('savepoint headrace_enqueue')
const release = composed('release savepoint headrace_enqueue')

type Parts = {
  readonly schema: string
  readonly context: () => Context
  readonly writer: Writer
  readonly tell: (hint: Hint) => void
}

/** Stores jobs over a caller's own connection, inside the transaction that it has open there. */
export class CallersTransactions {
  readonly #parts: Parts
  #isClosed = false

  /** @param parts `tell` is given what to wake up once a transaction has committed */
  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @throws {TransactionRefusedError} when it is no open transaction on this database; nothing was stored */
  async enqueue(transaction: unknown, jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
    const session = await sessionOf(transaction)
    const { context: makeContext } = this.#parts
    const context = { ...makeContext(), hints: new HintCollector() }
    const found = await this.#identify(session)
    const enqueued = await this.#store(session, context, jobs, found.search_path)
    const hint = context.hints.take()
    if (hint !== undefined) this.#watch(found.xact, hint, context)
    return enqueued
  }

  async #store(
    session: Questions,
    context: Context,
    jobs: readonly NewJob[],
    searchPath: string,
  ): Promise<readonly Enqueued[]> {
    const { schema, writer } = this.#parts
    // A lane says nothing of any job, so it is made outside, and is there even when the transaction is rolled back.
    const placed = await writer.run(async (own) => {
      // As it is committed by now: the caller's transaction may see an older state, and may last.
      await context.routing.load(own)
      const roots = await placeRoots(own, context, jobs)
      await context.lanes.make(
        own,
        roots.jobs.map((job) => laneKeyOf({ job })),
      )
      // The transaction has its number by now, so whoever notes them again waits for it before he looks for names.
      const unnoted = deleteNotes(namesOfJobs(jobs))
      if (unnoted.length > 0) await own.pipeline(unnoted)
      return roots
    })
    const now = context.clock.now()
    await session.run(savepoint, [])
    try {
      await session.run(setPath, [schema])
      const tx = Transaction.within(session)
      const enqueued = await enqueueKeyed({ ...context, tx, ledger: new Ledger(tx, now), now }, placed, false)
      context.notes.write(tx)
      await tx.all([])
      await session.run(setPath, [searchPath])
      await session.run(release, [])
      return enqueued
    } catch (error) {
      context.notes.discard()
      await session.script('rollback to savepoint headrace_enqueue; release savepoint headrace_enqueue')
      throw error
    }
  }

  close(): void {
    this.#isClosed = true
  }

  async #identify(session: Questions): Promise<{ readonly search_path: string; readonly xact: string }> {
    type Row = { readonly search_path: string; readonly xact: string; readonly place: string }
    const [row] = await session.run<Row>(identify, [])
    const [own] = await this.#parts.writer.run((mine) => mine.run<{ readonly place: string }>(placeOnly, []))
    if (row === undefined || row.place !== own?.place) {
      throw new TransactionRefusedError('it is on another database than the jobs')
    }
    const [there] = await session.run<{ readonly found: boolean }>(hasSchema, [this.#parts.schema])
    if (!there?.found) throw new TransactionRefusedError('the jobs are not in a schema that it can see')
    return row
  }

  /** PostgreSQL tells nobody of a commit without a message in it, so this looks whether it is over. */
  #watch(xact: string, hint: Hint, { clock }: Context): void {
    const { writer, tell } = this.#parts
    const look = async (delayMs: number) => {
      if (this.#isClosed) return
      type Row = { readonly status: string | null }
      // Where it cannot be told now, it is asked again.
      const [row] = await writer
        .run((session) => session.run<Row>(isOver, [xact]))
        .catch(() => [{ status: 'in progress' }])
      if (row?.status === 'in progress') wait(Math.min(delayMs * 2, LOOK_MS_MAX))
      else if (row?.status !== 'aborted') tell(hint)
    }
    const wait = (delayMs: number) =>
      clock.setTimeout(() => holdTime(clock, look(delayMs)), delayMs, { background: true })
    wait(LOOK_MS)
  }
}

async function sessionOf(transaction: unknown): Promise<Questions> {
  if (isClient(transaction)) return Session.over(checked(transaction))
  if (!isKysely(transaction)) throw new TransactionRefusedError('it is neither a pg client nor a transaction of Kysely')
  if (transaction.isTransaction !== true) throw new TransactionRefusedError('it is Kysely outside of a transaction')
  return new KyselySession(transaction)
}

/** Asks through Kysely, which gives its connection to nobody. */
class KyselySession implements Questions {
  readonly #transaction: KyselyLike

  constructor(transaction: KyselyLike) {
    this.#transaction = transaction
  }

  async run<Row>({ text }: Prepared, values: readonly Value[]): Promise<readonly Row[]> {
    return (await this.#ask(text, values.map(encodeValue))) as readonly Row[]
  }

  async pipeline(calls: readonly Call[]): Promise<readonly Rows[]> {
    const results: Rows[] = []
    for (const { statement, values } of calls) results.push(await this.#ask(statement.text, values))
    return results
  }

  async script(sql: string): Promise<Rows> {
    let rows: Rows = []
    for (const one of sql.split(';')) rows = await this.#ask(one, [])
    return rows
  }

  async #ask(sql: string, parameters: readonly (string | null)[]): Promise<Rows> {
    try {
      const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] }
      const executor = this.#transaction.getExecutor()
      const ask = (connection: KyselyConnection) =>
        connection.executeQuery({ sql, parameters, query, queryId: QUERY_ID })
      return (await executor.provideConnection(ask)).rows
    } catch (error) {
      if (/committed|rolled back|released/.test((error as Error).message))
        throw new TransactionRefusedError('it is over')
      throw error
    }
  }
}

const QUERY_ID = { queryId: 'headrace' }

type Rows = readonly Readonly<Record<string, unknown>>[]

function checked(client: Client): Client {
  const { getTransactionStatus } = client as Client & { getTransactionStatus?: () => string | null }
  const status = getTransactionStatus?.call(client)
  if (status === 'T') return client
  if (status === 'E') throw new TransactionRefusedError('it has failed already, and can only be rolled back')
  throw new TransactionRefusedError('no transaction is open on it; begin one first')
}

function isClient(value: unknown): value is Client {
  if (typeof value !== 'object' || value === null) return false
  return 'getTransactionStatus' in value && 'query' in value && typeof value.query === 'function'
}

/** What is needed of Kysely, so that the store does not load it. */
type KyselyConnection = { executeQuery(query: object): Promise<{ readonly rows: Rows }> }
type KyselyLike = {
  readonly isTransaction: unknown
  getExecutor(): { provideConnection<T>(consumer: (connection: KyselyConnection) => Promise<T>): Promise<T> }
}

function isKysely(value: unknown): value is KyselyLike {
  return typeof value === 'object' && value !== null && 'isTransaction' in value && 'getExecutor' in value
}
