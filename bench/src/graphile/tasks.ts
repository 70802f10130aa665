import { setTimeout as sleep } from 'node:timers/promises'
import type { Task } from 'graphile-worker'
import type pg from 'pg'
import { benchResult } from '../payload.ts'
import { noteStart } from '../process/start-log.ts'

/** Whoever waits for one job's result listens here: graphile-worker itself tells nobody. */
export const DONE_CHANNEL = 'bench_done'

/** graphile-worker keeps no results, so its users keep them in a table; this is the cheapest that we know. */
export const RESULTS_TABLE = 'create table bench_results (i bigint primary key, result json not null)'

/** The children of a group that are still to end; `first` is the number of the first of them. */
export const COUNTERS_TABLE =
  'create table bench_counters (i bigint primary key, first bigint not null, remaining int not null)'

/** One statement, so that a child which ran twice counts once, and the last one never forgets to add the joining job. */
const STORE_AND_COUNT = `
  with stored as (insert into bench_results (i, result) values ($1, $2) on conflict do nothing returning i),
  counted as (
    update bench_counters set remaining = remaining - 1
    where i = $3 and exists (select from stored)
    returning i, first, remaining
  )
  select graphile_worker.add_job('join', json_build_object('i', i, 'first', first))
  from counted where remaining = 0`

const STORE = 'insert into bench_results (i, result) values ($1, $2)'
const STORE_AND_TELL = `
  with stored as (insert into bench_results (i, result) values ($1, $2) returning i)
  select pg_notify('${DONE_CHANNEL}', i::text) from stored`

export type NoopPayload = { readonly i: number; readonly tell?: boolean }
export type SlowPayload = { readonly i: number; readonly ms: number }
export type PartPayload = { readonly i: number; readonly join: number }
export type JoinPayload = { readonly i: number; readonly first: number }
export type StepPayload = { readonly i: number; readonly step: number; readonly steps: number }

export function benchTasks(pool: pg.Pool): Record<'noop' | 'slow' | 'step' | 'part' | 'join', Task> {
  const store = (i: number, result: object, tell = false) =>
    pool.query(tell ? STORE_AND_TELL : STORE, [i, JSON.stringify(result)])
  return {
    async noop(payload) {
      const { i, tell } = payload as NoopPayload
      await store(i, benchResult(i), tell)
    },
    async slow(payload) {
      const { i, ms } = payload as SlowPayload
      noteStart(i)
      await sleep(ms)
      await store(i, benchResult(i))
    },
    async part(payload) {
      const { i, join } = payload as PartPayload
      await pool.query(STORE_AND_COUNT, [i, JSON.stringify(benchResult(i)), join])
    },
    async join(payload) {
      const { i, first } = payload as JoinPayload
      const { rows } = await pool.query('select result from bench_results where i >= $1', [first])
      await store(i, { received: rows.filter(({ result }) => result.ok === true).length }, true)
    },
    async step(payload, helpers) {
      const { i, step, steps, ...rest } = payload as StepPayload
      const result = benchResult(step + 1)
      if (step + 1 < steps) await helpers.addJob('step', { ...rest, i, step: step + 1, steps, last: result })
      else await store(i, result, true)
    },
  }
}

/** A connection that breaks is told of, and replaced by the pool. */
export function tellErrors(pool: pg.Pool): void {
  const tell = (error: Error) => console.error('graphile-worker:', error.message)
  pool.on('error', tell).on('connect', (client) => client.on('error', tell))
}
