import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { suite, test } from 'node:test'
import type { EventQuery, JobFilter, JobId } from '@headrace/engine'
import { queryEvents } from './event-query.ts'
import { queryJob, queryJobs, queryTree } from './job-query.ts'
import { migrations } from './migrations.ts'
import { Prepared, type StatementName } from './prepared.ts'
import * as statements from './statements.ts'

/** These grow with the history; to read one from end to end is never the plan unless its comment says so. */
const GROWING = [
  'jobs',
  'job_tags',
  'live',
  'outcomes',
  'attempts',
  'steps',
  'events',
  'log',
  'progress',
  'idempotency',
]

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
  return tables.map((table) => new RegExp(`SEARCH ${table}( USING (INTEGER )?PRIMARY KEY|$| EXISTS)`, 'm'))
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

/** What each arm of a compound query begins with, and so is driven by; as the shape that it fits. */
function drivers(steps: readonly string[]): string[] {
  const isFirst = (index: number) => /^CO-ROUTINE/.test(steps[index - 1] ?? '')
  return steps.filter((_, index) => isFirst(index)).map((step) => String(SHAPES.find((shape) => shape.test(step))))
}

const BY_NUMBER = /^SEARCH chosen USING INTEGER PRIMARY KEY \(rowid<\?\)/
const RUNNING = /^SEARCH chosen USING (COVERING )?INDEX live_running_by_seq \(seq<\?\)/
const ENDED = /^SEARCH chosen USING (COVERING )?INDEX outcomes_unsuccessful \(state=\? AND seq<\?\)/
const TASK = /^SEARCH jobs USING INDEX jobs_by_task \(task=\? AND seq<\?\)/
const NEWEST = /^SEARCH jobs USING INTEGER PRIMARY KEY \(rowid<\?\)/
const CHOSEN = /^SEARCH jobs USING INTEGER PRIMARY KEY \(rowid=\?\)/
const RECENT = /^SEARCH jobs USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/
const SHAPES = [BY_NUMBER, RUNNING, ENDED, TASK, NEWEST, CHOSEN, RECENT]

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

  const shapes: Record<string, { filter: JobFilter; uses: RegExp }> = {
    'waiting jobs': { filter: { states: ['waiting'] }, uses: BY_NUMBER },
    'running jobs': { filter: { states: ['running'] }, uses: RUNNING },
    'failed jobs': { filter: { states: ['failed'] }, uses: ENDED },
    'succeeded jobs': { filter: { states: ['succeeded'] }, uses: BY_NUMBER },
    'jobs of one task': { filter: { tasks: ['render'] }, uses: TASK },
    'succeeded jobs of one task': { filter: { tasks: ['render'], states: ['succeeded'] }, uses: TASK },
    'failed jobs of one task': { filter: { tasks: ['render'], states: ['failed'] }, uses: ENDED },
    'jobs of one owner': { filter: { owner: 'ada' }, uses: /^SEARCH jobs USING INDEX jobs_by_owner/ },
    'running jobs of one owner': { filter: { owner: 'ada', states: ['running'] }, uses: RUNNING },
    'waiting jobs without a parent': { filter: { states: ['waiting'], rootsOnly: true }, uses: BY_NUMBER },
    'jobs of any state': { filter: {}, uses: NEWEST },
    'jobs with a tag': { filter: { tag: 'blue' }, uses: /^SEARCH chosen USING PRIMARY KEY \(tag=\? AND seq<\?\)/ },
    'failed jobs with a tag': { filter: { tag: 'blue', states: ['failed'] }, uses: ENDED },
    'jobs of one owner and some tasks': {
      filter: { owner: 'ada', tasks: ['render', 'train'] },
      uses: /^SEARCH jobs USING INDEX jobs_by_owner/,
    },
  }
  for (const [what, { filter, uses }] of Object.entries(shapes)) {
    test(`a page of ${what} is read in the order of an index, and nothing is sorted or gathered for it`, () => {
      for (const before of [undefined, '7']) {
        queryJobs(sql, filter, { limit: 10, ...(before !== undefined && { before }) })
        const shown = sql.steps.join('\n')
        assert.match(shown, uses)
        assert.doesNotMatch(shown, /SCAN|TEMP B-TREE|SUBQUERY/)
      }
    })
  }

  test('a page of several states is the newest of as many pages, each read in the order of its index', () => {
    queryJobs(sql, { states: ['waiting', 'running', 'failed'] }, { limit: 10, before: '7' })
    assert.deepEqual(drivers(sql.steps), [BY_NUMBER, RUNNING, ENDED].map(String))
  })

  test('a page of several tasks is the newest of as many pages, each read in the order of its index', () => {
    queryJobs(sql, { tasks: ['render', 'train'] }, { limit: 10, before: '7' })
    assert.deepEqual(drivers(sql.steps), [TASK, TASK].map(String))
  })

  test('children of a job are found by it', () => {
    queryJobs(sql, { parentId: ID, states: ['waiting'] }, { limit: 10 })
    assert.match(sql.steps.join('\n'), /SEARCH jobs USING INDEX jobs_children/)
    assert.deepEqual(scanned(sql.steps), [])
  })

  test('a search looks at the newest jobs, at ids by their index, and at the jobs of each task whose name it fits', () => {
    const named = new Explaining(freshDatabase())
    const insert = named.db.prepare(statements.insertJob)
    for (const task of ['geo.render', 'train', 'Render.all', 'train']) {
      const id = `job-${Math.random()}`
      insert.run(id, task, 'task', 'tiles', 0, '{}', 0, null, null, null, null, null, null, null, null)
    }
    const { jobs } = queryJobs(named, { search: 'render' }, { limit: 10 })
    assert.deepEqual(
      jobs.map(({ task }) => task),
      ['Render.all', 'geo.render'],
    )
    const shown = named.steps.join('\n')
    assert.deepEqual(drivers(named.steps), [CHOSEN, RECENT, TASK, TASK].map(String), shown)
    assert.match(shown, /SEARCH jobs USING COVERING INDEX sqlite_autoindex_jobs_1 \(id>\? AND id<\?\)/)
    assert.deepEqual(scanned(named.steps), [], shown)
  })

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
