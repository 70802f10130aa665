import type { Transition } from '@headrace/engine'
import { FOR_EVER } from '@headrace/engine/rows'
import { admit, type Due } from './admit.ts'
import { type Endings, type HeldRow, returnToLine } from './ending.ts'
import type { Context } from './prepared.ts'

/** A workflow rests in the store, unless something that it waits for has happened by now. */
export function park(
  context: Context,
  endings: Endings,
  held: HeldRow,
  { waits, dueAt = FOR_EVER }: Transition & { readonly to: 'parked' },
): void {
  const { sql, clock, hints } = context
  const now = clock.now()
  const pairs = JSON.stringify(waits.map((step) => [held.seq, step]))
  const isDue = dueAt <= now || (waits.length > 0 && sql.get('releasedWaits', pairs) !== undefined)
  returnToLine(context, held, { because: 'parked', state: isDue ? 'ready' : 'parked', dueAt: isDue ? now : dueAt })
  if (isDue) admit(context, endings, held, true)
  else if (dueAt !== FOR_EVER) hints.dueAt(dueAt)
}

/**
 * Something that a parked workflow waits for has happened; a child that it had only started is nothing of that kind.
 * @param step that was released; left out where nothing was, which only one that has the last word waits for
 */
export function wake(context: Context, endings: Endings, seq: number, step?: number): void {
  const woken = context.sql.get<Due>('wakeParked', context.clock.now(), seq, step ?? null)
  if (woken !== undefined) admit(context, endings, woken, true)
}
