import type { Submittable } from 'pg'
import { type Prepared, UNNAMED } from './prepared.ts'
import { decodeRow, type Field } from './values.ts'

/** One statement with its values, as they go over the wire: text, or null. */
export type Call = { readonly statement: Prepared; readonly values: readonly (string | null)[] }

/** What of `pg`'s own connection is used here. */
type Wire = {
  readonly stream: { cork(): void; uncork(): void }
  parse(query: { name: string; text: string }): void
  bind(config: { statement: string; values: readonly (string | null)[] }): void
  describe(message: { type: 'P'; name: string }): void
  execute(config: object): void
  close(message: { type: 'S'; name: string }): void
  sync(): void
}

type Row = Readonly<Record<string, unknown>>

/** What a connection has prepared. */
export type Statements = {
  /** By name, with the columns of their answers once one has described them: they never change. */
  readonly known: Map<string, readonly Field[] | undefined>
  /** Of these it is not known, since what prepared them failed. */
  readonly doubtful: Set<string>
}

const NO_FIELDS: readonly Field[] = []

/**
 * Several prepared statements in one round trip: all are sent at once, with one `Sync` behind the last. Outside of an
 * explicit transaction they are one transaction of their own, all or nothing.
 */
export class Pipeline implements Submittable {
  readonly #calls: readonly Call[]
  readonly #known: Map<string, readonly Field[] | undefined>
  readonly #doubtful: Set<string>
  readonly #parsed: string[] = []
  readonly #results: Row[][] = []
  #rows: Row[] = []
  /** Of the answer that is being read, where it describes them. */
  #described: readonly Field[] | undefined
  #failure: unknown
  readonly #resolve: (results: Row[][]) => void
  readonly #reject: (error: unknown) => void
  // `pg` looks for it to tell whether it must make a promise of its own.
  readonly callback = () => {}

  constructor(
    calls: readonly Call[],
    session: Statements,
    answer: { resolve: (results: Row[][]) => void; reject: (error: unknown) => void },
  ) {
    this.#calls = calls
    this.#known = session.known
    this.#doubtful = session.doubtful
    this.#resolve = answer.resolve
    this.#reject = answer.reject
  }

  submit(connection: unknown): void {
    // Everything that `Wire` names is there in every 8.x of `pg`; its types leave it out.
    const wire = connection as Wire
    wire.stream.cork()
    try {
      for (const { statement, values } of this.#calls) {
        this.#prepare(wire, statement)
        wire.bind({ statement: statement.name, values })
        if (this.#known.get(statement.name) === undefined) wire.describe({ type: 'P', name: '' })
        wire.execute({})
      }
      wire.sync()
    } finally {
      wire.stream.uncork()
    }
  }

  #prepare(wire: Wire, { name, text }: Prepared): void {
    if (this.#known.has(name)) return
    if (this.#doubtful.delete(name)) wire.close({ type: 'S', name })
    wire.parse({ name, text })
    if (name === UNNAMED) return
    this.#known.set(name, undefined)
    this.#parsed.push(name)
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    this.#described = fields
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const columns = this.#described ?? this.#known.get(this.#answering) ?? NO_FIELDS
    this.#rows.push(decodeRow(columns, fields))
  }

  handleCommandComplete(): void {
    const name = this.#answering
    if (name !== UNNAMED && this.#known.get(name) === undefined) this.#known.set(name, this.#described ?? NO_FIELDS)
    this.#results.push(this.#rows)
    this.#rows = []
    this.#described = undefined
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete()
  }

  handlePortalSuspended(): void {}

  handleError(error: unknown): void {
    for (const name of this.#parsed) {
      this.#known.delete(name)
      this.#doubtful.add(name)
    }
    this.#failure = error
    this.#reject(error)
  }

  /** The statement whose answer is being read. */
  get #answering(): string {
    return this.#calls[this.#results.length]?.statement.name ?? ''
  }

  handleReadyForQuery(): void {
    if (this.#failure === undefined) this.#resolve(this.#results)
  }
}
