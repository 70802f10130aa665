import pg from 'pg'
import {
  batches,
  COPIES_PER_BLOCK,
  COPY_EVENTS,
  COPY_EVERY_MS,
  CURSORS_PER_BLOCK,
  copyValue,
} from './history-copies.ts'

/** Where the store keeps its tables. */
const SCHEMA = 'headrace'

/** The same as `addHistory`, in PostgreSQL. */
export async function addPostgresHistory(url: string, originals: readonly string[], count: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(`set search_path to ${SCHEMA}; set synchronous_commit to off`)
    await client.query(`create temp table originals (i, seq) as select given.i - 1, jobs.seq
      from unnest(array[${originals.map((id) => `'${id}'`).join(', ')}]::uuid[]) with ordinality as given (id, i)
      join jobs on jobs.id = given.id`)
    await client.query('create index on originals (i); analyze originals')
    const tables = await tablesOf(client)
    const copies: string[] = []
    for (const table of tables) copies.push(await copySql(client, table, originals.length))
    const makeIndexesAgain = await dropIndexes(client, tables)
    for (const { size, left } of batches(count)) {
      // The store's own numbers go on behind the copies.
      const { rows } = await client.query(
        `select setval('job_numbers', nextval('job_numbers') + $1) as last,
          (nextval('event_numbers') + 1) * ${CURSORS_PER_BLOCK} as cursor,
          setval('event_numbers', nextval('event_numbers') + $2)`,
        [size, Math.ceil(size / COPIES_PER_BLOCK)],
      )
      const [last, cursor] = [Number(rows[0]?.last), Number(rows[0]?.cursor)]
      const given = [last - size, last - 1, left, cursor]
      await client.query('begin')
      for (const sql of copies) await client.query(sql, given)
      await client.query(logSql, [...given, Date.now()])
      await client.query('commit')
    }
    for (const sql of makeIndexesAgain) await client.query(sql)
    // As autovacuum would have done by the time that so many have gone by.
    for (const table of [...tables, 'log']) await client.query(`vacuum analyze ${table}`)
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}

/** The tables in which the originals have rows. */
async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query(
    `select table_name from information_schema.columns where table_schema = $1 and column_name = 'seq' order by 1`,
    [SCHEMA],
  )
  const tables: string[] = []
  for (const { table_name: table } of rows) {
    const { rowCount } = await client.query(`select from originals join ${table} as t on t.seq = originals.seq limit 1`)
    if (rowCount) tables.push(table)
  }
  return tables
}

/** An index is built in a fraction of the time that it takes to keep it while a table is filled. @returns what makes them again */
async function dropIndexes(client: pg.Client, tables: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query(
    `select indexname, indexdef from pg_indexes
     where schemaname = $1 and tablename = any ($2)
       and not exists (select from pg_constraint where conname = indexname)`,
    [SCHEMA, tables],
  )
  for (const { indexname: name } of rows) await client.query(`drop index ${name}`)
  return ["set maintenance_work_mem to '512MB'", ...rows.map(({ indexdef }) => String(indexdef))]
}

const range = `(select $1::bigint as first, $2::bigint as last, $3::bigint as "left", $4::bigint as cursor) as batch`

async function copySql(client: pg.Client, table: string, originals: number): Promise<string> {
  const { rows } = await client.query(
    `select column_name from information_schema.columns
     where table_schema = $1 and table_name = $2 and is_identity = 'NO' order by ordinal_position`,
    [SCHEMA, table],
  )
  const columns = rows.map(({ column_name: name }) => String(name))
  const terms = {
    seq: 'n',
    // In the form of a UUIDv7, growing, and like no real one: none was made in 1970.
    id: `(lpad(to_hex(n >> 16), 8, '0') || '-' || lpad(to_hex(n & 65535), 4, '0') || '-7000-8000-000000000000')::uuid`,
    place: 'n - batch.first',
    younger: 'batch.last - n + batch."left"',
    cursor: 'batch.cursor',
  }
  return `
    insert into ${table} (${columns.join(', ')})
    select ${columns.map((column) => copyValue(column, terms)).join(', ')}
    from ${range}
    cross join generate_series($1::bigint, $2::bigint) as n
    join originals on originals.i = n % ${originals}
    join ${table} as source on source.seq = originals.seq
    order by n`
}

const logSql = `
  insert into log (cursor, at, worker, kind, seqs, attempts)
  select batch.cursor + block * ${CURSORS_PER_BLOCK} + event * ${COPIES_PER_BLOCK}, $5::bigint - batch."left" * ${COPY_EVERY_MS},
    case when event > 0 then (select max(id) from workers) end, event + 1, listed.seqs,
    case when event > 0 then array_fill(1, array[cardinality(listed.seqs)]) end
  from ${range}
  cross join generate_series(0, (batch.last - batch.first) / ${COPIES_PER_BLOCK}) as block
  cross join generate_series(0, ${COPY_EVENTS.length - 1}) as event
  cross join lateral (
    select array(
      select generate_series(batch.first + block * ${COPIES_PER_BLOCK},
        least(batch.last, batch.first + (block + 1) * ${COPIES_PER_BLOCK} - 1))
    ) as seqs
  ) as listed`
