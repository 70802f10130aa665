import { isEnded } from '../../job/job.ts'
import type { EventKind, JobEvent } from '../../store/store.ts'
import type { Rule } from './check-history.ts'

/** The events that change what a job is. The others tell of a running attempt, or of what is asked of it. */
const TURNS: ReadonlySet<EventKind> = new Set([
  ...(['queued', 'started', 'retried', 'released', 'parked', 'lapsed', 'ending', 'ended'] as const),
])
/** Those that may come while nobody runs it. */
const AT_REST: ReadonlySet<EventKind> = new Set(['ending', 'ended'])
/** What only the holder of a job can have said. */
const TOLD: ReadonlySet<EventKind> = new Set(['progress', 'log', 'metric', 'artifact', 'step'])

export const lifeRules = {
  /** The attempts of a job are numbered without a gap, each begun by one worker and over before the next begins. */
  'one-owner': (({ lives }, _, say) => {
    for (const [id, events] of lives) {
      let attempt = 0
      let isRunning = false
      for (const { kind, attempt: of, cursor, data } of events) {
        if (!TURNS.has(kind)) continue
        const where = `job ${id}: ${kind} at cursor ${cursor}`
        if (kind === 'started') {
          if (isRunning) say(`${where} while attempt ${attempt} still ran`)
          if (of !== attempt + 1) say(`${where} is attempt ${of}, though ${attempt} had begun before it`)
          if (typeof data.worker !== 'string') say(`${where} names no worker`)
          attempt = of
        } else if (kind !== 'queued') {
          if (!AT_REST.has(kind) && !isRunning) say(`${where} while no attempt ran`)
          if (of !== attempt) say(`${where} is of attempt ${of}, and attempt ${attempt} was the last that had begun`)
        }
        isRunning = kind === 'started'
      }
    }
  }) satisfies Rule,

  /** A job is queued first and once, ends once, and nothing happens to it afterwards; what it is agrees with how it ended. */
  'end-is-final': (({ jobs, lives }, _, say) => {
    for (const job of jobs) {
      const events = lives.get(job.id) ?? []
      const ended = events.findIndex(({ kind }) => kind === 'ended')
      if (events[0]?.kind !== 'queued') say(`job ${job.id} begins with ${events[0]?.kind ?? 'nothing'}`)
      if (events.filter(({ kind }) => kind === 'queued').length > 1) say(`job ${job.id} was queued twice`)
      const late = ended < 0 ? undefined : events[ended + 1]
      if (late !== undefined) say(`job ${job.id}: ${late.kind} at cursor ${late.cursor} after its end`)
      const said = ended < 0 ? undefined : events[ended]?.data.state
      if (isEnded(job.state) && said !== job.state) say(`job ${job.id} is ${job.state}, and its end says ${said}`)
      if (!isEnded(job.state) && ended >= 0) say(`job ${job.id} has ended as ${said}, and is ${job.state}`)
    }
  }) satisfies Rule,

  /** Whatever is told of an attempt, and its outcome, comes from the worker that holds it at that moment. */
  'late-worker-changes-nothing': (({ jobs, lives }, _, say) => {
    for (const job of jobs) {
      let holder: JobEvent | undefined
      let last: JobEvent | undefined
      for (const event of lives.get(job.id) ?? []) {
        if (event.kind === 'started') last = event
        const isTold = TOLD.has(event.kind)
        if (isTold && event.attempt !== holder?.attempt)
          say(
            `job ${job.id}: ${event.kind} at cursor ${event.cursor} is of attempt ${event.attempt}, which held nothing`,
          )
        if (event.kind === 'ended') checkEnd(job, holder, last, say)
        if (TURNS.has(event.kind)) holder = event.kind === 'started' ? event : undefined
      }
    }
  }) satisfies Rule,
} as const

type EndedJob = { readonly id: string; readonly state: string; readonly attempt: number; readonly worker?: string }

function checkEnd(
  job: EndedJob,
  holder: JobEvent | undefined,
  last: JobEvent | undefined,
  say: (what: string) => void,
): void {
  if (job.attempt !== (last?.attempt ?? 0))
    say(`job ${job.id} counts ${job.attempt} attempts, and ${last?.attempt ?? 0} began`)
  if (holder !== undefined && job.worker !== undefined && job.worker !== holder.data.worker)
    say(`job ${job.id} was ended by worker ${job.worker}, while ${holder.data.worker} held it`)
}
