import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, suite, test } from 'node:test'
import { parseAddress } from './connection/address.ts'
import { statements } from './connection/named.ts'
import { Session } from './connection/session.ts'
import { migrate } from './migrate.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

/** These grow with the backlog or with the history; to read one from end to end is never the plan unless its comment says so. */
const GROWING = [
  ...['jobs', 'job_tags', 'live', 'outcomes', 'attempts', 'steps', 'log', 'events', 'progress'],
  ...['idempotency', 'signals', 'sessions'],
]
/** So many jobs wait in the second half of the tests. */
const WAITING = 20_000

const FILES = [
  './statements.ts',
  './limit-statements.ts',
  './cache-statements.ts',
  './routing-statements.ts',
  './session-statements.ts',
]

/** The comment above each statement. */
function readComments(): ReadonlyMap<string, string> {
  const source = FILES.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8')).join('\n')
  const found = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const (\w+)/g)
  return new Map(
    Array.from(found, ([, comment = '', name = '']) => [name, comment.replaceAll(/\s*\n?\s*\*\s*/g, ' ').trim()]),
  )
}

/** The indexes that a comment names, of tables that the plan reads; the key of an insert is where it writes. */
function promised(comment: string, plan: string): string[] {
  const tables = namesIn(/Primary keys?: (.*)$/.exec(comment)?.[1])
  const read = tables.filter((table) => GROWING.includes(table) && new RegExp(`Scan .*on ${table}\\b`).test(plan))
  const indexes = namesIn(/Index(?:es)?: (.*?)(?: Primary.*)?$/.exec(comment)?.[1])
  return [...indexes, ...read.map((table) => `${table}_pkey`)]
}

/** Where either of two will do, `a (x) or b (y)`, they are one. */
function namesIn(list = ''): string[] {
  const either = list.replaceAll(/(\w+) \([^)]*\) or (\w+) \(/g, '$1|$2 (')
  return Array.from(either.matchAll(/([\w|]+) \(/g), ([, name = '']) => name)
}

/** Growing tables that a plan reads from end to end. */
function scanned(plan: string): string[] {
  return Array.from(plan.matchAll(/Seq Scan on (\w+)/g), ([, table = '']) => table).filter((table) =>
    GROWING.includes(table),
  )
}

/** Indexes by which live jobs are found in the plan. */
function liveIndexes(plan: string): string[] {
  return Array.from(plan.matchAll(/using (live_\w+) on live/g), ([, index = '']) => index)
}

type Plans = ReadonlyMap<string, string>

/** The plans that every session of the store keeps once it has made them. */
async function readPlans(session: Session): Promise<Plans> {
  const plans = new Map<string, string>()
  for (const { name, text } of Object.values(statements)) {
    await session.script(`prepare "${name}" as ${text}`)
    const [row] = await session.script(
      `select cardinality(parameter_types) as count from pg_prepared_statements where name = '${name}'`,
    )
    const values = Array.from({ length: Number(row?.count) }, () => 'null').join(', ')
    const lines = await session.script(`explain (costs off) execute "${name}"${values === '' ? '' : `(${values})`}`)
    plans.set(name, lines.map((line) => String(line['QUERY PLAN'])).join('\n'))
  }
  return plans
}

/** In a store as it is made, with jobs that wait, and after they have gone. */
async function readAllPlans(url: string): Promise<readonly { readonly when: string; readonly plans: Plans }[]> {
  const address = parseAddress(url, 'plans')
  const session = await Session.open(address, 'plans')
  try {
    await migrate(session, address)
    await session.script(`set headrace.stored_before = '0'`)
    const empty = await readPlans(session)
    await session.script(`
      deallocate all;
      insert into jobs (seq, created_at, queued_cursor, id, priority, lane, is_workflow, task, queue, input)
      select n, n, n, gen_random_uuid(), 0, 1, false, 'render', 'default', '{}' from generate_series(1, ${WAITING}) as n;
      insert into live (seq, state, lane, urgency, rank, due_at, is_workflow)
      select n, 6, 1, 0, n, n, false from generate_series(1, ${WAITING}) as n;
      insert into steps (seq, step, kind, name, recorded_at, delivered_from)
      select n, 1, 'now', '', n, 0 from generate_series(1, ${WAITING}) as n;
      insert into outcomes (seq, ended_at, ended_cursor, attempt, state, result)
      select n, n, n, 1, 1, '{}' from generate_series(1, ${WAITING}) as n;
      insert into signals (seq, name, key, value, at)
      select n / 10, 'name ' || n % 5, 'key ' || n, '{}', n from generate_series(1, ${WAITING}) as n;
      insert into sessions (seq, step, worker, state)
      select n, 1, n % 100, 'closed' from generate_series(1, ${WAITING}) as n;
      insert into attempts (seq, started_at, started_cursor, ended_at, ended_cursor, due_at, attempt, worker, outcome)
      select n, n, n, n, n, n, 1, 1, 'retried' from generate_series(1, ${WAITING}) as n;
      analyze`)
    const full = await readPlans(session)
    await session.script('deallocate all; delete from live')
    await session.script('vacuum (analyze, truncate false) live')
    const drained = await readPlans(session)
    return [
      { when: 'in an empty store', plans: empty },
      { when: `with ${WAITING} jobs waiting`, plans: full },
      { when: 'with statistics of a moment when nothing waited', plans: drained },
    ]
  } finally {
    await session.close()
  }
}

const databases = await postgresForTests()
after(() => databases?.close())
const all = databases === undefined ? [] : await readAllPlans(databases.urls[0] ?? '')
const comments = readComments()

suite('named statements on PostgreSQL', { skip: databases === undefined && WITHOUT_POSTGRES }, () => {
  for (const { name } of Object.values(statements)) {
    const comment = comments.get(name) ?? ''
    test(`${name} says which index or key it uses`, () => {
      assert.match(comment, /(Index|Indexes|Primary keys?|Scan): /)
    })

    if (/Scan: |Primary key: none/.test(comment)) continue
    for (const { when, plans } of all) {
      test(`${name} uses what it says ${when}, and reads no growing table from end to end`, () => {
        const plan = plans.get(name) ?? ''
        for (const index of promised(comment, plan)) assert.match(plan, new RegExp(`using (${index})\\b`), plan)
        assert.deepEqual(scanned(plan), [], plan)
        // A job is sought by its number or among its siblings, and never among all that are ready, or run, or wait, unless
        // that is what is asked for.
        const known = [...promised(comment, plan).flatMap((index) => index.split('|')), 'live_pkey', 'live_children']
        const others = liveIndexes(plan).filter((index) => !known.includes(index))
        assert.deepEqual(others, [], plan)
      })
    }
  }

  test('a claim from several lanes reads no more than it takes, though it was planned when nothing waited', async () => {
    const address = parseAddress(databases?.urls[0] ?? '', 'claims')
    const session = await Session.open(address, 'claims')
    try {
      await migrate(session, address)
      await session.script(`prepare claim as ${statements.claimFromLanes.text}`)
      const lowest = '{-2147483648, -2147483648}'
      const claim = `claim(1, 1, '{1, 2}', 10, '${lowest}', '${lowest}', '{0, 0}', null)`
      await session.script(`
        insert into workers (uid, name, process, host, pid, queues, lease_ms, lease_until, started_at)
        values (gen_random_uuid(), 'ada', 1, '', 1, '{}', 1, 1, 1)`)
      await session.script(`execute ${claim}`)
      await session.script(`
        insert into live (seq, state, lane, urgency, rank, due_at, is_workflow)
        select n, 6, 1 + n % 2, 0, n, n, false from generate_series(1, ${WAITING}) as n`)
      const lines = await session.script(`explain (analyze, buffers, costs off) execute ${claim}`)
      const pages = /shared hit=(\d+)/.exec(lines.map((line) => line['QUERY PLAN']).join('\n'))?.[1]
      assert.ok(Number(pages) < 500, `${pages} pages of memory were looked at to claim 10 jobs`)
    } finally {
      await session.close()
    }
  })
})
