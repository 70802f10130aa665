import pg from 'pg'

/** Copies within one transaction. */
const COPIES = 250_000
/** Where the store keeps its tables. */
const SCHEMA = 'headrace'

/** The same as `addHistory`, in PostgreSQL. */
export async function addPostgresHistory(url: string, jobId: string, count: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(`set search_path to ${SCHEMA}; set synchronous_commit to off`)
    const seq = Number((await client.query('select seq from jobs where id = $1', [jobId])).rows[0]?.seq)
    const copies = await Promise.all((await tablesOf(client, seq)).map((table) => copySql(client, table)))
    for (let done = 0; done < count; done += COPIES) {
      const copied = Math.min(COPIES, count - done)
      // The store's own numbers go on behind the copies.
      const { rows } = await client.query(`select setval('job_numbers', nextval('job_numbers') + $1) as last`, [copied])
      const last = Number(rows[0]?.last)
      await client.query('begin')
      for (const sql of copies) await client.query(sql, [seq, last - copied, last - 1])
      await client.query('commit')
    }
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}

/** The tables in which the job has rows. */
async function tablesOf(client: pg.Client, seq: number): Promise<string[]> {
  const { rows } = await client.query(
    `select table_name from information_schema.columns where table_schema = $1 and column_name = 'seq' order by 1`,
    [SCHEMA],
  )
  const tables: string[] = []
  for (const { table_name: table } of rows) {
    if ((await client.query(`select from ${table} where seq = $1 limit 1`, [seq])).rowCount) tables.push(table)
  }
  return tables
}

async function copySql(client: pg.Client, table: string): Promise<string> {
  const { rows } = await client.query(
    `select column_name from information_schema.columns
     where table_schema = $1 and table_name = $2 and is_identity = 'NO' order by ordinal_position`,
    [SCHEMA, table],
  )
  const columns = rows.map(({ column_name: name }) => String(name))
  const values = columns.map((name) => {
    if (name === 'seq') return 'n'
    // In the form of a UUIDv7, growing, and like no real one: none was made in 1970.
    if (name === 'id')
      return `(lpad(to_hex(n >> 16), 8, '0') || '-' || lpad(to_hex(n & 65535), 4, '0') || '-7000-8000-000000000000')::uuid`
    return `source.${name}`
  })
  return `
    insert into ${table} (${columns.join(', ')})
    select ${values.join(', ')} from generate_series($2::bigint, $3::bigint) as n cross join ${table} as source
    where source.seq = $1::bigint`
}
