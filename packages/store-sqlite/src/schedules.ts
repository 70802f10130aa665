import {
  artifactNamesIn,
  type Enqueued,
  type Firing,
  type JobId,
  type ScheduleRecord,
  type ScheduleRecords,
} from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import { enqueueJobs } from './enqueue.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Context } from './prepared.ts'

type Row = {
  readonly name: string
  readonly body: string
  readonly paused: number
  readonly next_at: number | null
  readonly last_at: number | null
  readonly last_job: string | null
  readonly fired: number
  readonly skipped: number
  readonly changed_at: number
}

export class SqliteSchedules implements ScheduleRecords {
  readonly #context: Context
  readonly #commits: GroupCommit

  constructor(context: Context, commits: GroupCommit) {
    this.#context = context
    this.#commits = commits
  }

  put({ name, body, nextAt }: Parameters<ScheduleRecords['put']>[0]): Promise<'created' | 'changed'> {
    return this.#commits.run('before-answer', () => {
      const { sql, clock } = this.#context
      const isNew = sql.get('scheduleByName', name) === undefined
      sql.run('putSchedule', name, body, nextAt ?? null, clock.now())
      deleteNotes(sql, artifactNamesIn(body))
      this.#hint(nextAt)
      return isNew ? 'created' : 'changed'
    })
  }

  pause(name: string, { paused, nextAt }: Parameters<ScheduleRecords['pause']>[1]): Promise<boolean> {
    return this.#commits.run('before-answer', () => {
      const { sql, clock } = this.#context
      this.#hint(nextAt)
      return sql.run('pauseSchedule', paused ? 1 : 0, nextAt ?? null, clock.now(), name).changes > 0
    })
  }

  delete(name: string): Promise<boolean> {
    return this.#commits.run('before-answer', () => this.#context.sql.run('deleteSchedule', name).changes > 0)
  }

  async get(name: string): Promise<ScheduleRecord | undefined> {
    const row = this.#context.sql.get<Row>('scheduleByName', name)
    return row === undefined ? undefined : toRecord(row)
  }

  async list(): Promise<readonly ScheduleRecord[]> {
    return this.#context.sql.all<Row>('allSchedules').map(toRecord)
  }

  async due(limit: number): Promise<readonly ScheduleRecord[]> {
    const { sql, clock } = this.#context
    return sql.all<Row>('dueSchedules', clock.now(), limit).map(toRecord)
  }

  fire(firing: Firing): Promise<'elsewhere' | readonly Enqueued[]> {
    return this.#commits.run('before-answer', () => fireSchedule(this.#context, firing))
  }

  #hint(nextAt: number | undefined): void {
    if (nextAt !== undefined) this.#context.hints.dueAt(nextAt)
  }
}

function fireSchedule(context: Context, firing: Firing): 'elsewhere' | readonly Enqueued[] {
  const { sql, hints } = context
  const { name, nextAt, firedAt, liveMax, skipped } = firing
  const row = sql.get<Row>('scheduleByName', name)
  if (row === undefined || row.paused === 1 || row.next_at !== firing.expectedNextAt) return 'elsewhere'
  const enqueued: Enqueued[] = []
  let passedOver = skipped
  for (const job of firing.jobs) {
    const live = job.limit === undefined ? 0 : (sql.get<{ live: number }>('limitLive', job.limit.key)?.live ?? 0)
    if (liveMax === undefined || live < liveMax) enqueued.push(...enqueueJobs(context, [job]))
    else passedOver++
  }
  const created = enqueued.filter(({ outcome }) => outcome === 'created')
  passedOver += enqueued.length - created.length
  const lastId = created.at(-1)?.id
  const lastSeq = lastId === undefined ? null : (sql.get<{ seq: number }>('seqByJobId', lastId)?.seq ?? null)
  sql.run('advanceSchedule', nextAt ?? null, firedAt ?? null, lastSeq, created.length, passedOver, name)
  if (nextAt !== undefined) hints.dueAt(nextAt)
  return enqueued
}

function toRecord(row: Row): ScheduleRecord {
  return {
    name: row.name,
    body: row.body,
    paused: row.paused === 1,
    fired: row.fired,
    skipped: row.skipped,
    changedAt: row.changed_at,
    ...(row.next_at !== null && { nextAt: row.next_at }),
    ...(row.last_at !== null && { lastAt: row.last_at }),
    // The store's own rows hold nothing but ids in this place.
    ...(row.last_job !== null && { lastJobId: row.last_job as JobId }),
  }
}
