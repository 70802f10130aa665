import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Clock, HintCollector } from '@headrace/engine'
import type { DeploymentBook } from './deployments.ts'
import type { EventLog } from './event-log.ts'
import type { Lanes } from './lanes.ts'
import type { QueueBook } from './queue-settings.ts'
import * as namespace from './statements.ts'

const statements: Readonly<Record<StatementName, string>> = { ...namespace }

/** Composed queries are few in shape; past so many, the cache starts afresh. */
const TEXTS_MAX = 200

export type StatementName = keyof typeof namespace

/** Every named statement, prepared once per connection at its first use. */
export class Prepared {
  readonly db: DatabaseSync
  readonly #byName = new Map<StatementName, StatementSync>()
  readonly #byText = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.db = db
  }

  /** Rows as the statement's own columns; `Row` says what the SQL beside it selects. */
  all<Row>(name: StatementName, ...values: SQLInputValue[]): Row[] {
    return this.#statement(name).all(...values) as Row[]
  }

  get<Row>(name: StatementName, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(name).get(...values) as Row | undefined
  }

  /** @returns how many rows it changed, and the key of the last one inserted */
  run(name: StatementName, ...values: SQLInputValue[]): { readonly changes: number; readonly lastInsertRowid: number } {
    return this.#statement(name).run(...values) as { changes: number; lastInsertRowid: number }
  }

  /** A composed query, prepared once for each shape. */
  text(sql: string): StatementSync {
    let statement = this.#byText.get(sql)
    if (statement === undefined) {
      if (this.#byText.size >= TEXTS_MAX) this.#byText.clear()
      statement = this.db.prepare(sql)
      this.#byText.set(sql, statement)
    }
    return statement
  }

  #statement(name: StatementName): StatementSync {
    let statement = this.#byName.get(name)
    if (statement === undefined) {
      statement = this.db.prepare(statements[name])
      // A caller's own connection may be set to give rows of another shape.
      statement.setReadBigInts(false)
      statement.setReturnArrays(false)
      this.#byName.set(name, statement)
    }
    return statement
  }
}

/** What every operation on the database needs. */
export type Context = {
  readonly sql: Prepared
  readonly clock: Clock
  readonly lanes: Lanes
  readonly queues: QueueBook
  readonly deployments: DeploymentBook
  readonly events: EventLog
  /** What to tell others once the transaction is committed. */
  readonly hints: HintCollector
}
