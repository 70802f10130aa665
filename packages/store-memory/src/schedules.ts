import {
  artifactNamesIn,
  type Enqueued,
  type Firing,
  type ScheduleRecord,
  type ScheduleRecords,
} from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import { enqueueJobs } from './enqueue.ts'
import { liveOfLimit } from './limits.ts'
import type { Context, MemoryPlace } from './place.ts'

/** @param run one operation of the store, with the hints of what it changed */
export function memorySchedules(context: Context, run: <T>(work: () => T) => T): ScheduleRecords {
  const { place, clock, hints } = context
  const hint = (nextAt: number | undefined) => void (nextAt !== undefined && hints.dueAt(nextAt))
  return {
    async put({ name, body, nextAt }) {
      return run(() => {
        const known = place.schedules.get(name)
        const { nextAt: planned, ...before } = known ?? { name, paused: false, fired: 0, skipped: 0 }
        const next = (known?.body === body ? planned : undefined) ?? nextAt
        place.schedules.set(name, {
          ...before,
          body,
          changedAt: clock.now(),
          ...(next !== undefined && { nextAt: next }),
        })
        deleteNotes(context, artifactNamesIn(body))
        hint(next)
        return known === undefined ? 'created' : 'changed'
      })
    },
    async pause(name, { paused, nextAt }) {
      return run(() => {
        const known = place.schedules.get(name)
        if (known === undefined) return false
        const { nextAt: _, ...before } = known
        place.schedules.set(name, {
          ...before,
          paused,
          changedAt: clock.now(),
          ...(nextAt !== undefined && { nextAt }),
        })
        hint(nextAt)
        return true
      })
    },
    async delete(name) {
      return run(() => place.schedules.delete(name))
    },
    async get(name) {
      return place.schedules.get(name)
    },
    async list() {
      return [...place.schedules.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, 1_000)
    },
    async due(limit) {
      return dueSchedules(place, clock.now()).slice(0, limit)
    },
    async fire(firing) {
      return run(() => fireSchedule(context, firing))
    },
  }
}

/** Those whose instant has come, the longest due first. */
export function dueSchedules(place: MemoryPlace, now: number): ScheduleRecord[] {
  return coming(place)
    .filter(({ nextAt }) => nextAt <= now)
    .map(({ record }) => record)
}

/** When the next one falls due. One that is due already may have nobody here who knows its task, and is left out. */
export function nextScheduleAfter(place: MemoryPlace, now: number): number {
  return coming(place).find(({ nextAt }) => nextAt > now)?.nextAt ?? Number.POSITIVE_INFINITY
}

function coming({ schedules }: MemoryPlace) {
  const live = [...schedules.values()].flatMap((record) =>
    record.paused || record.nextAt === undefined ? [] : { record, nextAt: record.nextAt },
  )
  return live.sort((a, b) => a.nextAt - b.nextAt)
}

function fireSchedule(context: Context, firing: Firing): 'elsewhere' | readonly Enqueued[] {
  const { place, hints } = context
  const { name, nextAt, firedAt, liveMax = Number.POSITIVE_INFINITY } = firing
  const record = place.schedules.get(name)
  if (record === undefined || record.paused || record.nextAt !== firing.expectedNextAt) return 'elsewhere'
  const enqueued: Enqueued[] = []
  let passedOver = firing.skipped
  for (const job of firing.jobs) {
    const live = job.limit === undefined ? 0 : liveOfLimit(place, job.limit.key).length
    if (live < liveMax) enqueued.push(...enqueueJobs(context, [job]))
    else passedOver++
  }
  const created = enqueued.filter(({ outcome }) => outcome === 'created')
  passedOver += enqueued.length - created.length
  const lastJobId = created.at(-1)?.id
  const { nextAt: _, ...before } = record
  place.schedules.set(name, {
    ...before,
    ...{ fired: record.fired + created.length, skipped: record.skipped + passedOver },
    ...(nextAt !== undefined && { nextAt }),
    ...(firedAt !== undefined && { lastAt: firedAt }),
    ...(lastJobId !== undefined && { lastJobId }),
  })
  if (nextAt !== undefined) hints.dueAt(nextAt)
  return enqueued
}
