import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AnyTask,
  type Flow,
  type JobContext,
  type Lease,
  NonRetryableError,
  type Task,
  task,
  type Workflow,
  workflow,
} from '@headrace/engine'
import type { Note } from '../ledger.ts'
import type { Request, Work } from './expected.ts'

/** At most so many jobs with a limit run at once. */
export const LIMIT_MAX = 2
/** Of those that are refused when so many of them live. */
export const EXCLUSIVE_MAX = 3
/** Of those that replace the oldest when so many of them live. */
export const NEWEST_MAX = 1
/** A result stands for later ones so long. */
const CACHE_MS = 3_000

type Input<Name extends Request['task']> = Extract<Request, { readonly task: Name }>['input']

/** The tasks as one process knows them. @param note writes down what was done, where no store can lose it */
export function campaignTasks(note: (line: Note) => void): readonly AnyTask[] {
  const double = async ({ value, ms, isFlaky }: Work, job: JobContext) => {
    await sleep(ms, undefined, { signal: job.signal })
    if (isFlaky && job.attempt === 1) throw new Error('It does not work yet.')
    note({ kind: 'effect', jobId: job.id, attempt: job.attempt })
    return value * 2
  }
  const retry = { attempts: 4, delayMs: 100, delayMsMax: 500 }
  const work: Task<Work, number> = task({ name: 'work', retry, run: double })
  const limit = { key: 'campaign', max: LIMIT_MAX, whenFull: 'wait' } as const
  const limited: Task<Work, number> = task({ name: 'limited', retry, limit, run: double })
  const exclusive: Task<Work, number> = task({
    name: 'exclusive',
    retry,
    limit: { key: 'exclusive', max: EXCLUSIVE_MAX, whenFull: 'reject' },
    run: double,
  })
  const newest: Task<Work, number> = task({
    name: 'newest',
    retry,
    limit: { key: 'newest', max: NEWEST_MAX, whenFull: 'replace' },
    run: double,
  })
  const cached: Task<Work, number> = task({ name: 'cached', retry, cache: { ttlMs: CACHE_MS }, run: double })
  const doomed = task({
    name: 'doomed',
    run: () => {
      throw new NonRetryableError('It never works.')
    },
  })
  const once = noted(note)
  const sum: Workflow<Input<'sum'>, number> = workflow({
    name: 'sum',
    queue: 'flows',
    async run({ works, concurrency }, flow) {
      await once(flow, 'plan', () => works.length)
      const doubled = await flow.map(work, works, { concurrency })
      return once(flow, 'sum', () => doubled.reduce((total, one) => total + one, 0))
    },
  })
  const chain: Workflow<Input<'chain'>, number> = workflow({
    name: 'chain',
    queue: 'flows',
    async run({ value, length }, flow) {
      let last = value
      for (let link = 0; link < length; link++) last = await flow.call(work, { value: last, ms: 20, isFlaky: false })
      return last
    },
  })
  const nest: Workflow<Input<'nest'>, number[]> = workflow({
    name: 'nest',
    queue: 'flows',
    async run({ sums, sleepMs }, flow) {
      const branches = sums.map((works) => flow.call(sum, { works, concurrency: 2 }))
      await flow.sleep(sleepMs)
      return flow.all(branches)
    },
  })
  const approval: Workflow<Input<'approval'>, unknown> = workflow({
    name: 'approval',
    queue: 'flows',
    run: (_, flow) => flow.waitFor('approved'),
  })
  const booking: Workflow<Input<'booking'>, void> = workflow({
    name: 'booking',
    queue: 'flows',
    async run({ value }, flow) {
      await once(
        flow,
        'book',
        () => value,
        () => note({ kind: 'undone', jobId: flow.id }),
      )
      await flow.call(doomed, null)
    },
  })
  return [work, limited, exclusive, newest, cached, doomed, sum, chain, nest, approval, booking]
}

/** A local step that notes down each execution. */
function noted(note: (line: Note) => void) {
  return <T>(flow: Flow, step: string, compute: () => T, compensate?: () => void): Promise<T> => {
    // What a worker hands to a workflow's code is its run, which knows its attempt.
    const { attempt } = (flow as Flow & { readonly lease: Lease }).lease
    const run = () => {
      note({ kind: 'effect', jobId: flow.id, attempt, step })
      return compute()
    }
    return flow.step(step, run, compensate === undefined ? {} : { compensate })
  }
}
