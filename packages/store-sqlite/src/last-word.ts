import { cleansUp, type Ending as EndingOf, type EndState, type RecordedError } from '@headrace/engine'
import { FOR_EVER } from '@headrace/engine/rows'
import { admit } from './admit.ts'
import type { Ending, Endings } from './ending.ts'
import type { Context } from './prepared.ts'

/** In `live.cleanup`. */
export const HAS_ON_FAILURE = 1
export const COMPENSATES = 2
export const HAS_SESSIONS = 4

type Row = {
  readonly cleanup: number
  readonly ending: string | null
  readonly queue: string
  readonly limit_key: string | null
  readonly permit: number
}

/** What a workflow that is to end has to say to that: `begins` to clean up first, was `ending` so already, or nothing. */
export function lastWord(
  context: Context,
  endings: Endings,
  job: Ending,
  to: { readonly to: EndState; readonly error?: RecordedError },
): 'begins' | EndingOf | undefined {
  const row = context.sql.get<Row>('lastWord', job.seq)
  if (row === undefined) return undefined
  if (row.ending !== null) return JSON.parse(row.ending) as EndingOf
  const words = {
    hasOnFailure: (row.cleanup & HAS_ON_FAILURE) !== 0,
    compensates: (row.cleanup & COMPENSATES) !== 0,
  }
  if (to.to === 'succeeded' || to.error === undefined || !cleansUp(words, to.to)) return undefined
  beginEnding(context, endings, { job, row }, { to: to.to, error: to.error })
  return 'begins'
}

/** Its attempt is over, its children are asked to stop, and when they have ended it is claimed once more. */
function beginEnding(
  context: Context,
  endings: Endings,
  { job, row }: { readonly job: Ending; readonly row: Row },
  { to, error }: Omit<EndingOf, 'step'>,
): void {
  const { sql, clock, hints, events } = context
  const now = clock.now()
  const step = sql.get<{ step: number }>('nextStep', job.seq)?.step ?? 1
  sql.run('insertStep', job.seq, step, 'ending', to, null, null, null, null, null, null, 1, null, 0, now, 0, null)
  const recorded = JSON.stringify(error)
  if (job.worker !== null) {
    const { seq, attempt, worker, started_at: startedAt } = job
    sql.run('insertAttempt', seq, attempt, worker, startedAt, now, to, recorded, null, null)
  }
  const { code, message } = error
  events.add(job.seq, 'ending', job.attempt, now, JSON.stringify({ state: to, error: { code, message } }))
  hints.events()
  const write = (state: string, dueAt: number) =>
    sql.run('beginEnding', state, dueAt, JSON.stringify({ to, error, step } satisfies EndingOf), job.seq)
  // It must not be found again by what ends its children.
  write('parked', FOR_EVER)
  if ((row.cleanup & HAS_SESSIONS) !== 0) sql.run('closeSessionsOf', job.seq)
  endings.endChildren(job.seq)
  if (sql.get('attachedChildren', job.seq) !== undefined) return
  write('ready', now)
  admit(context, endings, { ...row, seq: job.seq, cache_key: null })
}
