import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { suite, test } from 'node:test'
import type { EventQuery, JobFilter, JobId } from '@headrace/engine'
import { queryEvents, queryJob, queryJobs, queryTree } from './job-query.ts'
import { migrations } from './migrations.ts'
import { Prepared, type StatementName } from './prepared.ts'
import * as statements from './statements.ts'

/** These grow with the history; to read one from end to end is never the plan unless its comment says so. */
const GROWING = ['jobs', 'job_tags', 'live', 'outcomes', 'attempts', 'steps', 'events', 'progress', 'idempotency']

function freshDatabase(): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  for (const sql of migrations) db.exec(sql)
  return db
}

function plan(db: DatabaseSync, sql: string): string[] {
  return db
    .prepare(`explain query plan ${sql}`)
    .all()
    .map(({ detail }) => String(detail))
}

/** Growing tables that a plan reads from end to end. */
function scanned(steps: readonly string[]): string[] {
  return steps.map((step) => /^SCAN (\w+)/.exec(step)?.[1] ?? '').filter((table) => GROWING.includes(table))
}

/** The comment above each statement. */
function readComments(): ReadonlyMap<string, string> {
  const source = readFileSync(new URL('./statements.ts', import.meta.url), 'utf8')
  const found = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const (\w+)/g)
  return new Map(
    Array.from(found, ([, comment = '', name = '']) => [name, comment.replaceAll(/\s*\n?\s*\*\s*/g, ' ').trim()]),
  )
}

/** What a comment promises, as text that the plan must contain. */
function promised(comment: string): RegExp[] {
  const [, index] = /Index: (\w+(?:, \w+)*)/.exec(comment) ?? []
  if (index !== undefined && comment.includes('(id unique)')) return [/sqlite_autoindex_jobs_1/]
  if (index !== undefined) return index.split(', ').map((name) => new RegExp(`INDEX ${name}\\b`))
  const [, keys = ''] = /Primary keys?: (.*)$/.exec(comment) ?? []
  const tables = Array.from(keys.matchAll(/(\w+) \(/g), ([, table = '']) => table)
  return tables.map((table) => new RegExp(`SEARCH ${table}( USING (INTEGER )?PRIMARY KEY|$| EXISTS)`))
}

suite('named statements', () => {
  const db = freshDatabase()
  const comments = readComments()
  for (const [name, sql] of Object.entries(statements) as [StatementName, string][]) {
    const comment = comments.get(name) ?? ''
    const steps = plan(db, sql)
    // The key of an insert is where it writes; a plan shows only what it reads.
    const isInsert = /^\s*insert/.test(sql)
    const saysScan = /scan/i.test(comment)

    test(`${name} says which index or key it uses`, () => {
      assert.match(comment, /(Index|Primary keys?|Scan): /)
    })

    if (!saysScan) {
      test(`${name} uses what it says, and reads no growing table from end to end`, () => {
        const shown = steps.join('\n')
        if (!isInsert) for (const pattern of promised(comment)) assert.match(shown, pattern)
        assert.deepEqual(scanned(steps), [], shown)
      })
    }
  }
})

/** Notes the plan of each composed query. */
class Explaining extends Prepared {
  steps: string[] = []

  override text(sql: string): StatementSync {
    this.steps = plan(this.db, sql)
    return super.text(sql)
  }
}

const ID = '01b8dac5-b400-7321-a8c5-51d62a87f1ef' as JobId

suite('composed queries', () => {
  const sql = new Explaining(freshDatabase())

  test('a job is found by its id', () => {
    queryJob(sql, ID)
    assert.deepEqual(scanned(sql.steps), [], sql.steps.join('\n'))
  })

  test('a tree is found by its children', () => {
    queryTree(sql, ID, 10)
    assert.deepEqual(scanned(sql.steps), [], sql.steps.join('\n'))
    assert.match(sql.steps.join('\n'), /jobs_children/)
  })

  // The live jobs are few beside the history, so a filter for live states may look at all of them.
  const live = ['live']
  const shapes: Record<string, { filter: JobFilter; uses: RegExp; reads?: string[] }> = {
    'waiting jobs': { filter: { states: ['waiting'] }, uses: /SEARCH jobs USING INTEGER PRIMARY KEY/, reads: live },
    'running jobs': { filter: { states: ['running'] }, uses: /INDEX live_running/, reads: live },
    'failed jobs': { filter: { states: ['failed'] }, uses: /outcomes_by_state/ },
    'jobs of one task': { filter: { tasks: ['render'] }, uses: /jobs_by_task/ },
    'jobs of one owner': { filter: { owner: 'ada' }, uses: /jobs_by_owner/ },
    'running jobs of one owner': {
      filter: { owner: 'ada', states: ['running'] },
      uses: /SEARCH jobs USING/,
      reads: live,
    },
    'jobs with a tag': { filter: { tag: 'blue' }, uses: /job_tags|SEARCH jobs USING INTEGER PRIMARY KEY/ },
    'children of a job': { filter: { parentId: ID }, uses: /jobs_children/ },
  }
  for (const [what, { filter, uses, reads = [] }] of Object.entries(shapes)) {
    test(`${what} are found without reading all jobs`, () => {
      queryJobs(sql, filter, { limit: 10 })
      const shown = sql.steps.join('\n')
      assert.match(shown, uses)
      assert.deepEqual(scanned(sql.steps), reads, shown)
    })
    test(`the next page of ${what} is found without reading all jobs`, () => {
      queryJobs(sql, filter, { limit: 10, before: '7' })
      assert.deepEqual(scanned(sql.steps), reads, sql.steps.join('\n'))
    })
  }

  test('the newest jobs are read from the end of the table, in its own order', () => {
    queryJobs(sql, {}, { limit: 10 })
    assert.doesNotMatch(sql.steps.join('\n'), /TEMP B-TREE/)
  })

  const events: Record<string, { query: Omit<EventQuery, 'after' | 'limit'>; uses: RegExp }> = {
    'all events': { query: {}, uses: /SEARCH events USING INTEGER PRIMARY KEY/ },
    'events of a job': { query: { jobId: ID }, uses: /events_by_job/ },
    'logs of a job': { query: { jobId: ID, kinds: ['log'], levels: ['error'], contains: 'x' }, uses: /events_by_job/ },
    'events of a tree': { query: { jobId: ID, tree: true }, uses: /events_by_job|INTEGER PRIMARY KEY/ },
  }
  for (const [what, { query, uses }] of Object.entries(events)) {
    test(`${what} are read from the cursor on, by an index`, () => {
      queryEvents(sql, { after: 5, limit: 10, ...query })
      const shown = sql.steps.join('\n')
      assert.match(shown, uses)
      assert.deepEqual(scanned(sql.steps), [], shown)
    })
  }
})
