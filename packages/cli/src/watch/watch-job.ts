import type { Connection, Job } from '@headrace/client'
import type { EventKind, StatusInfo } from '@headrace/wire'
import { liveLines } from '../terminal/live-lines.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type Watched, watchLines } from './watch-view.ts'

const TICK_MS = 250
/** What changes the picture; logs and metrics do not. */
const KINDS: readonly EventKind[] = [
  'queued',
  'started',
  'retried',
  'lapsed',
  'released',
  'cancel-requested',
  'ended',
  'progress',
  'step',
]

/**
 * Shows a job as it goes on, until it has ended: its events say when to look, and what is then read is shown.
 * @returns how it ended
 * @throws what the server answers, `WaitTimeoutError`, and the signal's reason; the job goes on in any case
 */
export async function watchJob(
  terminal: Terminal,
  job: Job,
  options: { readonly signal: AbortSignal; readonly timeoutMs?: number | undefined },
): Promise<StatusInfo> {
  const { signal, timeoutMs } = options
  const done = new AbortController()
  const view = createView(terminal, job)
  const stop = () => done.abort(new DOMException('No longer watched.', 'AbortError'))
  signal.addEventListener('abort', stop)
  // Whatever keeps the events away is met by `end` too, and told from there.
  void view.listen(done.signal).catch(() => undefined)
  const ticker = setInterval(() => void view.tick().catch(() => undefined), TICK_MS)
  try {
    await view.tick()
    const status = await job.end({ signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
    await view.look()
    return status
  } finally {
    clearInterval(ticker)
    signal.removeEventListener('abort', stop)
    stop()
    view.end()
  }
}

function createView(terminal: Terminal, job: Job) {
  const lines = liveLines(terminal)
  let watched: Watched | undefined
  let isStale = true
  let isLooking = false

  async function look(): Promise<void> {
    const [status, steps, tree] = await Promise.all([job.status(), job.steps(), job.tree()])
    watched = { status, steps, tree }
    draw()
  }

  function draw(): void {
    if (watched) lines.show(watchLines(terminal, watched, Date.now()))
  }

  return {
    look,
    end: () => lines.end(),
    /** Looks when something has happened; else only the times have moved on. */
    async tick(): Promise<void> {
      if (isLooking) return
      if (!isStale) return draw()
      isLooking = true
      isStale = false
      await look().finally(() => {
        isLooking = false
      })
    },
    async listen(signal: AbortSignal): Promise<void> {
      const onConnection = connectionNotes(terminal)
      for await (const _event of job.events({ tree: true, kinds: KINDS, signal, onConnection })) isStale = true
    },
  }
}

/** Says once that the server is away, and once that it is back. */
function connectionNotes(terminal: Terminal): (connection: Connection) => void {
  let isLost = false
  return ({ state }) => {
    if (state === 'lost' && !isLost) terminal.note('The connection is lost; the job goes on. Trying again…')
    if (state === 'live' && isLost) terminal.note('The connection is back.')
    isLost = state === 'lost'
  }
}
