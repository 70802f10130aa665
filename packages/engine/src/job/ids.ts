import type { Clock } from '../clock/clock.ts'
import type { JobId, WorkerId } from './job.ts'

/** Makes ids that sort by the time of their making (UUIDv7, RFC 9562 section 5.7). */
export interface Ids {
  job(): JobId
  worker(): WorkerId
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** @param random in [0, 1), as `Math.random` */
export function createIds(clock: Clock, random: () => number): Ids {
  let lastMs = 0
  // Counts within a millisecond, so that ids of one process grow even there (RFC 9562 section 6.2, method 1).
  let counter = 0
  const next = (): string => {
    const now = clock.now()
    if (now > lastMs) {
      lastMs = now
      counter = Math.floor(random() * 0x400)
    } else if (++counter > 0xfff) {
      lastMs++
      counter = 0
    }
    return format(lastMs, counter, random)
  }
  // The two brands are made here and nowhere else.
  return { job: () => next() as JobId, worker: () => next() as WorkerId }
}

function format(ms: number, counter: number, random: () => number): string {
  const time = ms.toString(16).padStart(12, '0')
  const count = counter.toString(16).padStart(3, '0')
  const high = Math.floor(random() * 0x1_0000_0000)
  const low = Math.floor(random() * 0x1_0000_0000)
  const variant = HEX[0x80 | (high >>> 26)]
  const rest = (high & 0xff_ffff).toString(16).padStart(6, '0') + low.toString(16).padStart(8, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${rest.slice(0, 2)}-${rest.slice(2)}`
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Whether a string has the form of a job id; says nothing about whether such a job exists. */
export function isJobId(text: string): text is JobId {
  return UUID.test(text)
}
