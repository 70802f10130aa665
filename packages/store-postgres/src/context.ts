import type { Clock, HintCollector } from '@headrace/engine'
import type { Ahead } from './ahead.ts'
import type { Session } from './connection/session.ts'
import { Transaction } from './connection/transaction.ts'
import type { Lanes } from './lanes.ts'
import { Ledger } from './ledger.ts'
import type { Notes } from './notes.ts'
import type { Routing } from './routing.ts'

/** What every operation on the database needs. */
export type Context = {
  readonly clock: Clock
  readonly lanes: Lanes
  readonly routing: Routing
  /** What to tell others once it is committed. */
  readonly hints: HintCollector
  /** What others are told before that. */
  readonly ahead: Ahead
  /** What is left for limits and the result cache, to be served once it is committed. */
  readonly notes: Notes
}

/** The same within one transaction. */
export type Work = Context & {
  readonly tx: Transaction
  readonly ledger: Ledger
  /** The instant at which all of it happens. */
  readonly now: number
}

/** Does it in a transaction of its own, and commits unless it has committed itself. */
export async function inTransaction<T>(
  session: Session,
  context: Context,
  work: (work: Work) => Promise<T>,
): Promise<T> {
  const tx = Transaction.begin(session)
  const now = context.clock.now()
  try {
    const result = await work({ ...context, tx, ledger: new Ledger(tx, now), now })
    context.notes.write(tx)
    await tx.commit()
    return result
  } catch (error) {
    context.notes.discard()
    await tx.rollBack()
    throw error
  }
}
