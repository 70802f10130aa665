import { DatabaseSync, type StatementSync } from 'node:sqlite'
import {
  batches,
  COPIES_PER_BLOCK,
  COPY_EVENTS,
  COPY_EVERY_MS,
  CURSORS_PER_BLOCK,
  copyValue,
} from './history-copies.ts'

/**
 * Copies jobs that have ended, by turns, with every row that the store keeps of them, as if so many like them had come and
 * gone, one every quarter of a second until now. Ten million real ones would take ten minutes; these differ from them in
 * nothing that a claim or a reader could see. It writes through the store's own file, which nobody but a bench may do.
 * @param originals ids of jobs that ended at their first attempt and had no children
 */
export function addHistory(path: string, originals: readonly string[], count: number): void {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    db.exec('pragma synchronous = off; pragma cache_size = -400000; pragma wal_autocheckpoint = 100000')
    db.exec('create temp table originals (i integer primary key, seq integer not null)')
    const note = db.prepare('insert into originals (i, seq) select ?, seq from jobs where id = ?')
    for (const [i, id] of originals.entries()) note.run(i, id)
    const copies = tablesOf(db).map((table) => db.prepare(copySql(db, table, originals.length)))
    // Not every table has a cursor, or a time.
    for (const copy of copies) copy.setAllowUnknownNamedParameters(true)
    const [last, log] = [db.prepare(lastSql), db.prepare(logSql)]
    const worker = Number(db.prepare('select max(id) as id from workers').get()?.id)
    for (const { size, left } of batches(count)) {
      // Sound: the statement's own columns, and there is a job.
      const before = last.get() as { seq: number; cursor: number }
      const first = { seq: before.seq + 1, cursor: before.cursor + 1 }
      db.exec('begin immediate')
      for (const copy of copies)
        copy.run(integers({ first: first.seq, last: before.seq + size, cursor: first.cursor, left }))
      for (const row of logRows(first, size)) addToLog(log, row, Date.now() - left * COPY_EVERY_MS, worker)
      db.exec('commit')
    }
    db.exec('pragma wal_checkpoint(truncate)')
  } finally {
    db.close()
  }
}

/** SQLite would take a plain number for a real one, and reckon with it. */
function integers(values: Readonly<Record<string, number>>): Record<string, bigint> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, BigInt(value)]))
}

/** The tables in which the originals have rows, `jobs` first. */
function tablesOf(db: DatabaseSync): string[] {
  const tables = db
    .prepare(
      `select m.name as name from sqlite_schema as m join pragma_table_info(m.name) as c
       where m.type = 'table' and c.name = 'seq' order by m.name <> 'jobs'`,
    )
    .all()
    .map(({ name }) => String(name))
  const used = (table: string) =>
    db.prepare(`select 1 from originals join ${table} as t on t.seq = originals.seq limit 1`)
  return tables.filter((table) => used(table).get() !== undefined)
}

function copySql(db: DatabaseSync, table: string, originals: number): string {
  const columns = db
    .prepare('select name from pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name))
  const terms = {
    seq: 'n.seq',
    // In the form of a UUIDv7, growing, and like no real one: none was made in 1970.
    id: `printf('%08x-%04x-7000-8000-000000000000', n.seq >> 16, n.seq & 65535)`,
    place: 'n.seq - :first',
    younger: ':last - n.seq + :left',
    cursor: ':cursor',
  }
  return `
    with recursive n (seq) as (select :first union all select seq + 1 from n where seq < :last)
    insert into ${table} (${columns.join(', ')})
    select ${columns.map((column) => copyValue(column, terms)).join(', ')}
    from n
    cross join originals on originals.i = n.seq % ${originals}
    cross join ${table} as source on source.seq = originals.seq`
}

const lastSql = `
  select (select max(seq) from jobs) as seq,
    max((select max(last) from log), (select coalesce(max(cursor), 0) from events)) as cursor`

const logSql = 'insert into log (first, last, kind, attempt, at, worker, seqs) values (?, ?, ?, ?, ?, ?, ?)'

type LogRow = { readonly kind: (typeof COPY_EVENTS)[number]; readonly cursor: number; readonly seqs: readonly number[] }

function* logRows(first: { readonly seq: number; readonly cursor: number }, size: number): Generator<LogRow> {
  for (let block = 0; block * COPIES_PER_BLOCK < size; block++) {
    const begin = block * COPIES_PER_BLOCK
    const length = Math.min(COPIES_PER_BLOCK, size - begin)
    const seqs = Array.from({ length }, (_, i) => first.seq + begin + i)
    for (const [event, kind] of COPY_EVENTS.entries()) {
      yield { kind, cursor: first.cursor + block * CURSORS_PER_BLOCK + event * COPIES_PER_BLOCK, seqs }
    }
  }
}

function addToLog(log: StatementSync, { kind, cursor, seqs }: LogRow, at: number, worker: number): void {
  const attempt = kind === 'queued' ? 0 : 1
  log.run(cursor, cursor + seqs.length - 1, kind, attempt, at, kind === 'started' ? worker : null, JSON.stringify(seqs))
}
