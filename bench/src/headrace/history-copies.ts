/** So many copies share the rows of the log and a block of cursors, as jobs that a worker takes and ends together do. */
export const COPIES_PER_BLOCK = 340
/** PostgreSQL keeps what one transaction lists within so many, too. */
export const CURSORS_PER_BLOCK = 1_024
/** Between the ends of two copies, so that ten million fill a month. */
export const COPY_EVERY_MS = 250
/** Copies within one transaction: whole blocks. */
export const COPIES_PER_BATCH = 400 * COPIES_PER_BLOCK

/** What every copy went through, in this order, and a block lists one after another. */
export const COPY_EVENTS = ['queued', 'started', 'ended'] as const

/** Expressions for the copy at hand in one dialect of SQL: its number, its id, its place in the batch, how many came after it, the batch's first cursor. */
export type CopyTerms = {
  readonly seq: string
  readonly id: string
  readonly place: string
  readonly younger: string
  readonly cursor: string
}

/** What a copy has in a column, as SQL, beside its original under the name `source`. */
export function copyValue(column: string, { seq, id, place, younger, cursor }: CopyTerms): string {
  const ofEvent = (event: number) =>
    `${cursor} + (${place}) / ${COPIES_PER_BLOCK} * ${CURSORS_PER_BLOCK} + ${event * COPIES_PER_BLOCK} + (${place}) % ${COPIES_PER_BLOCK}`
  switch (column) {
    case 'seq':
      return seq
    case 'id':
      return id
    case 'queued_cursor':
      return ofEvent(0)
    case 'started_cursor':
      return ofEvent(1)
    case 'ended_cursor':
      return ofEvent(2)
    case 'created_at':
    case 'started_at':
    case 'ended_at':
      return `source.${column} - (${younger}) * ${COPY_EVERY_MS}`
    default:
      return `source.${column}`
  }
}

/** How many copies each transaction makes, and how many are left to be made after it. */
export function* batches(count: number): Generator<{ readonly size: number; readonly left: number }> {
  for (let done = 0; done < count; done += COPIES_PER_BATCH) {
    const size = Math.min(COPIES_PER_BATCH, count - done)
    yield { size, left: count - done - size }
  }
}
