import { setTimeout as sleep } from 'node:timers/promises'
import type { Task } from 'graphile-worker'
import type pg from 'pg'
import { benchResult } from '../payload.ts'
import { noteStart } from '../process/start-log.ts'

/** Whoever waits for one job's result listens here: graphile-worker itself tells nobody. */
export const DONE_CHANNEL = 'bench_done'

/** graphile-worker keeps no results, so its users keep them in a table; this is the cheapest that we know. */
export const RESULTS_TABLE = 'create table bench_results (i bigint primary key, result json not null)'

const STORE = 'insert into bench_results (i, result) values ($1, $2)'
const STORE_AND_TELL = `
  with stored as (insert into bench_results (i, result) values ($1, $2) returning i)
  select pg_notify('${DONE_CHANNEL}', i::text) from stored`

export type NoopPayload = { readonly i: number; readonly tell?: boolean }
export type SlowPayload = { readonly i: number; readonly ms: number }
export type StepPayload = { readonly i: number; readonly step: number; readonly steps: number }

export function benchTasks(pool: pg.Pool): Record<'noop' | 'slow' | 'step', Task> {
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
