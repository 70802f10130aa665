import {
  artifactNamesIn,
  type Clock,
  type Enqueued,
  type Firing,
  type Hint,
  type JobId,
  type NewJob,
  type ScheduleRecord,
  type ScheduleRecords,
} from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import { statements } from './connection/named.ts'
import { call } from './connection/session.ts'
import type { Value } from './connection/values.ts'
import { type Context, inTransaction, type Work } from './context.ts'
import { type PlacedRoots, placeRoots } from './deployments.ts'
import { enqueueKeyed, laneKeyOf } from './enqueue.ts'
import { lockAndGive } from './limits.ts'
import type { Readers } from './readers.ts'
import { serveNotes } from './serve.ts'
import type { Writer } from './writer.ts'

type Row = {
  readonly name: string
  readonly body: string
  readonly paused: boolean
  readonly next_at: number | null
  readonly last_at: number | null
  readonly last_job: JobId | null
  readonly fired: number
  readonly skipped: number
  readonly changed_at: number
}

type Parts = {
  readonly clock: Clock
  readonly writer: Writer
  readonly readers: Readers
  readonly context: () => Context
  readonly tell: (hint: Hint) => void
}

export class PostgresSchedules implements ScheduleRecords {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async put({ name, body, nextAt }: Parameters<ScheduleRecords['put']>[0]): Promise<'created' | 'changed'> {
    const put = call(statements.putSchedule, name, body, nextAt, this.#parts.clock.now())
    const calls = [put, ...deleteNotes(artifactNamesIn(body))]
    const [[row] = []] = await this.#parts.writer.run((session) => session.pipeline(calls))
    this.#hint(nextAt)
    return row?.is_new ? 'created' : 'changed'
  }

  async pause(name: string, { paused, nextAt }: Parameters<ScheduleRecords['pause']>[1]): Promise<boolean> {
    const rows = await this.#write('pauseSchedule', [paused, nextAt, this.#parts.clock.now(), name])
    this.#hint(nextAt)
    return rows.length > 0
  }

  async delete(name: string): Promise<boolean> {
    return (await this.#write('deleteSchedule', [name])).length > 0
  }

  async get(name: string): Promise<ScheduleRecord | undefined> {
    return (await this.#read('scheduleByName', [name]))[0]
  }

  list(): Promise<readonly ScheduleRecord[]> {
    return this.#read('allSchedules', [])
  }

  due(limit: number): Promise<readonly ScheduleRecord[]> {
    return this.#read('dueSchedules', [this.#parts.clock.now(), limit])
  }

  async fire(firing: Firing): Promise<'elsewhere' | readonly Enqueued[]> {
    const { writer, tell, context: makeContext } = this.#parts
    const context = makeContext()
    const fired = await writer.run(async (session) => {
      const outcome = await context.routing.obey(session, async () => {
        const placed = await placeRoots(session, context, firing.jobs)
        await context.lanes.make(
          session,
          placed.jobs.map((job) => laneKeyOf({ job })),
        )
        return inTransaction(session, context, (work) => fireSchedule(work, firing, placed))
      })
      await serveNotes(session, context)
      return outcome
    })
    const hint = context.hints.take()
    if (hint !== undefined) tell(hint)
    return fired
  }

  #write<R>(name: 'pauseSchedule' | 'deleteSchedule', values: readonly Value[]): Promise<readonly R[]> {
    return this.#parts.writer.run((session) => session.run<R>(statements[name], values))
  }

  async #read(name: 'scheduleByName' | 'allSchedules' | 'dueSchedules', values: readonly Value[]) {
    const rows = await this.#parts.readers.read((session) => session.run<Row>(statements[name], values))
    return rows.map(toRecord)
  }

  #hint(nextAt: number | undefined): void {
    if (nextAt !== undefined) this.#parts.tell({ dueAt: nextAt })
  }
}

async function fireSchedule(
  work: Work,
  firing: Firing,
  { jobs: all, refused }: PlacedRoots,
): Promise<'elsewhere' | readonly Enqueued[]> {
  const { name, nextAt, firedAt, skipped, expectedNextAt } = firing
  const row = await work.tx.row<Pick<Row, 'paused' | 'next_at'>>('lockSchedule', name)
  if (row === undefined || row.paused || row.next_at !== expectedNextAt) return 'elsewhere'
  const jobs = await withRoom(work, all, firing)
  const enqueued = jobs.length === 0 ? [] : await enqueueKeyed(work, { jobs, refused })
  const created = enqueued.filter(({ outcome }) => outcome === 'created')
  const passedOver = skipped + firing.jobs.length - created.length
  work.tx.later('advanceSchedule', nextAt, firedAt, created.at(-1)?.id, created.length, passedOver, name)
  if (nextAt !== undefined) work.hints.dueAt(nextAt)
  return enqueued
}

/** The jobs of a firing that there is room for, of those that a limit counts. */
async function withRoom(work: Work, jobs: readonly NewJob[], { liveMax }: Firing): Promise<readonly NewJob[]> {
  const keys = [...new Set(jobs.flatMap(({ limit }) => limit?.key ?? []))].sort()
  if (liveMax === undefined || keys.length === 0) return jobs
  const live = await lockAndGive(work, keys)
  return jobs.filter(({ limit }) => {
    if (limit === undefined) return true
    const count = live.get(limit.key) ?? 0
    live.set(limit.key, count + 1)
    return count < liveMax
  })
}

function toRecord(row: Row): ScheduleRecord {
  return {
    name: row.name,
    body: row.body,
    paused: row.paused,
    fired: row.fired,
    skipped: row.skipped,
    changedAt: row.changed_at,
    ...(row.next_at !== null && { nextAt: row.next_at }),
    ...(row.last_at !== null && { lastAt: row.last_at }),
    ...(row.last_job !== null && { lastJobId: row.last_job }),
  }
}
