import { linkAbort } from '../clock/linked-abort.ts'
import type { Http } from '../http/http.ts'
import { type FollowJobOptions, followJob } from './follow-job.ts'

/** Tells when it is worth looking at a job again. Its events are only hints here; what is then read is the truth. */
export interface JobWatch {
  /** Whether the job was seen to end. Ask before a look, so that the look after the end is not left out. */
  readonly isOver: boolean
  /** Resolves once something happened since the last call, or at the end; rejects when no more can be known. */
  changed(): Promise<void>
  stop(): void
}

export function watchJob(http: Http, id: string, options: FollowJobOptions): JobWatch {
  const link = linkAbort(http.clock, options.signal)
  const bell = createBell()
  let isOver = false

  async function listen(): Promise<void> {
    for await (const _event of followJob(http, id, { ...options, signal: link.signal })) bell.ring()
    isOver = true
    bell.close()
  }
  listen().catch((error) => bell.close({ error }))

  return {
    get isOver() {
      return isOver
    },
    changed: bell.rung,
    stop() {
      link.abort(new DOMException('No longer watched.', 'AbortError'))
      link.dispose()
    },
  }
}

/** One listener at a time; rings while it does not listen count as one. */
function createBell() {
  let hasRung = false
  let closed: { readonly error?: unknown } | undefined
  let wake: (() => void) | undefined
  const ring = () => {
    hasRung = true
    wake?.()
  }
  const rung = () =>
    new Promise<void>((resolve, reject) => {
      wake = () => {
        wake = undefined
        hasRung = false
        if (closed && 'error' in closed) reject(closed.error)
        else resolve()
      }
      if (hasRung || closed) wake()
    })
  return {
    ring,
    rung,
    close(how: { readonly error?: unknown } = {}) {
      closed = how
      ring()
    },
  }
}
