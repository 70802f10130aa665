import { round, type Workload } from './workload.ts'

/** Claims measured, each of so many jobs; they are settled in between, outside of the time. */
const CLAIMS = 300
const SLOTS = 10

export const history: Workload = {
  figure: 'ratio',
  moreIsBetter: false,
  what: ({ waiting, finished }) =>
    `time of a claim of ${SLOTS} jobs with ${waiting} waiting and ${finished} finished, against the same with ${CLAIMS * SLOTS} waiting and none finished`,
  async measure(peer, { waiting, finished }) {
    if (peer.claimTimes === undefined || peer.addHistory === undefined) throw new Error('its claims cannot be timed')
    await peer.enqueueBulk(CLAIMS * SLOTS)
    const empty = middle(await peer.claimTimes(CLAIMS, SLOTS))
    const start = performance.now()
    await peer.addHistory(finished)
    await peer.enqueueBulk(waiting)
    const fillSeconds = (performance.now() - start) / 1_000
    const full = middle(await peer.claimTimes(CLAIMS, SLOTS))
    const figures = {
      ratio: round(full / empty),
      emptyMs: round(empty),
      fullMs: round(full),
      waiting,
      finished,
      fillSeconds: round(fillSeconds),
    }
    return { figures }
  },
}

function middle(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
}
