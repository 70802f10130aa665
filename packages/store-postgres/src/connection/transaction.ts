import { type StatementName, statements } from './named.ts'
import type { Call } from './pipeline.ts'
import type { Questions, Session } from './session.ts'
import { call } from './session.ts'
import type { Value } from './values.ts'

const BEGIN = { name: 'begin', text: 'begin' }
const COMMIT = { name: 'commit', text: 'commit' }

/**
 * A transaction that is begun with its first question and spares round trips: what needs no answer waits, and goes out
 * with the next question or with the commit.
 */
export class Transaction {
  readonly #session: Questions
  readonly #waiting: Call[]
  #isOpen = false

  private constructor(session: Questions, waiting: Call[]) {
    this.#session = session
    this.#waiting = waiting
  }

  static begin(session: Session): Transaction {
    return new Transaction(session, [call(BEGIN)])
  }

  /** Inside one that somebody else has begun, and ends. */
  static within(session: Questions): Transaction {
    return new Transaction(session, [])
  }

  /** To be done before the next answer, and without one of its own. */
  later(name: StatementName, ...values: readonly Value[]): void {
    this.#waiting.push(call(statements[name], ...values))
  }

  /** The same of what is a call already. */
  ask(calls: readonly Call[]): void {
    this.#waiting.push(...calls)
  }

  async rows<Row>(name: StatementName, ...values: readonly Value[]): Promise<readonly Row[]> {
    const [rows] = await this.all([call(statements[name], ...values)])
    return rows as readonly Row[]
  }

  async row<Row>(name: StatementName, ...values: readonly Value[]): Promise<Row | undefined> {
    return (await this.rows<Row>(name, ...values))[0]
  }

  /** The answers to several questions in one round trip. */
  async all(calls: readonly Call[]): Promise<readonly (readonly Readonly<Record<string, unknown>>[])[]> {
    const waiting = this.#waiting.splice(0)
    this.#isOpen = true
    const results = await this.#session.pipeline([...waiting, ...calls])
    return results.slice(waiting.length)
  }

  /** Commits, with last questions in the same round trip. */
  async commit(calls: readonly Call[] = []): Promise<readonly (readonly Readonly<Record<string, unknown>>[])[]> {
    if (!this.#isOpen && this.#waiting.length === 1 && calls.length === 0) return []
    const results = await this.all([...calls, call(COMMIT)])
    this.#isOpen = false
    return results.slice(0, -1)
  }

  async rollBack(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    // Where it cannot be rolled back the connection is gone, and the transaction with it.
    await this.#session.script('rollback').catch(() => {})
  }
}
