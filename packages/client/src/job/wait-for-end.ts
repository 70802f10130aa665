import type { StatusInfo } from '@headrace/wire'
import { sleep } from '../clock/clock.ts'
import { linkAbort } from '../clock/linked-abort.ts'
import { WaitTimeoutError } from '../errors.ts'
import type { Http } from '../http/http.ts'
import { retryAfterMs } from '../http/retry-after.ts'

export type WaitOptions = {
  /** Stops waiting, and leaves the job as it is. Waits without limit when left out. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

const WAIT_SECONDS = 25
const ANSWER_MS_MAX = 10_000
/** An unfinished answer that comes sooner means that the server, or a proxy, does not hold the request. */
const HELD_MS_MIN = 1_000

/**
 * Asks until the job has ended: by long poll, which answers at that moment, or at the server's pace where nothing holds
 * the request. The deadline is one instant of a clock that cannot be set back, so slow answers do not stretch it.
 * @throws {WaitTimeoutError} when `timeoutMs` have passed; the job goes on
 */
export async function waitForEnd(http: Http, id: string, options: WaitOptions): Promise<StatusInfo> {
  const link = linkAbort(http.clock, options.signal)
  let last: StatusInfo | undefined
  const { timeoutMs } = options
  if (timeoutMs !== undefined) link.abortAfter(timeoutMs, () => new WaitTimeoutError(id, timeoutMs, last))
  try {
    for (;;) {
      const askedAt = http.clock.now()
      const answer = await askStatus(http, id, link.signal)
      last = answer.status
      if (isEnded(last)) return last
      const heldMs = http.clock.now() - askedAt
      if (heldMs >= HELD_MS_MIN) continue
      await sleep(http.clock, Math.max(0, (answer.againAfterMs ?? HELD_MS_MIN) - heldMs), link.signal)
    }
  } finally {
    link.dispose()
  }
}

export function isEnded(status: StatusInfo): boolean {
  return status.state !== 'waiting' && status.state !== 'running'
}

function askStatus(http: Http, id: string, signal: AbortSignal) {
  return http.send(
    {
      path: `/jobs/${encodeURIComponent(id)}`,
      query: { wait: WAIT_SECONDS },
      timeoutMs: WAIT_SECONDS * 1000 + ANSWER_MS_MAX,
      retryForMs: Number.POSITIVE_INFINITY,
      signal,
    },
    async (response) => ({
      status: (await response.json()) as StatusInfo, // sound: the server keeps to @headrace/wire
      againAfterMs: retryAfterMs(response.headers),
    }),
  )
}
