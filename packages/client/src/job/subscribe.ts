import type { EventKind, StatusInfo } from '@headrace/wire'
import { sleep } from '../clock/clock.ts'
import type { Http } from '../http/http.ts'
import { isEnded } from './wait-for-end.ts'
import { watchJob } from './watch-job.ts'

/** A job that reports a thousand times a second is looked at four times. */
const LOOK_EVERY_MS = 250
/** What changes a job's status; logs and metrics do not. */
const KINDS_OF_STATUS: readonly EventKind[] = [
  'started',
  'retried',
  'lapsed',
  'released',
  'cancel-requested',
  'ended',
  'progress',
]

/** Calls `listener` with each status that differs from the one before, until the job has ended or the caller stops it. */
export function subscribeToJob(
  http: Http,
  id: string,
  listener: (status: StatusInfo) => void,
  onError: (error: unknown) => void = reportUncaught,
): () => void {
  const stopped = new AbortController()
  const { signal } = stopped
  const watch = watchJob(http, id, { signal, kinds: KINDS_OF_STATUS })
  look().catch((error) => {
    if (!signal.aborted) onError(error)
  })

  async function look(): Promise<void> {
    let shown = ''
    try {
      for (;;) {
        const status = await readStatus(http, id, signal)
        const text = JSON.stringify(status)
        if (text !== shown && !signal.aborted) listener(status)
        shown = text
        if (isEnded(status)) return
        await watch.changed()
        await sleep(http.clock, LOOK_EVERY_MS, signal)
      }
    } finally {
      watch.stop()
    }
  }

  return () => stopped.abort(new DOMException('No longer subscribed.', 'AbortError'))
}

function readStatus(http: Http, id: string, signal: AbortSignal): Promise<StatusInfo> {
  return http.json<StatusInfo>({
    path: `/jobs/${encodeURIComponent(id)}`,
    signal,
    retryForMs: Number.POSITIVE_INFINITY,
  })
}

/** As an event handler's error is: to the console or the process, not to nowhere. */
function reportUncaught(error: unknown): void {
  setTimeout(() => {
    throw error
  })
}
