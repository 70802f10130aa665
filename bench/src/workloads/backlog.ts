import assert from 'node:assert/strict'
import { latencyFigures, round, timed, type Workload, withWorker } from './workload.ts'

const SAMPLES_MAX = 100
/** The backlog must not run out while the urgent jobs are measured. */
const WITHIN_MS = 5_000

export const backlog: Workload = {
  figure: 'p50Ms',
  moreIsBetter: false,
  what: ({ waiting }) =>
    `submit to result in hand of an urgent job, one at a time, while a worker works off ${waiting} waiting jobs`,
  async measure(peer, { waiting }) {
    await peer.roundTrips(0, 'urgent')
    const start = performance.now()
    await peer.enqueueBulk(waiting)
    const enqueueSeconds = (performance.now() - start) / 1_000
    return withWorker(peer, async (worker) => {
      const [before, since] = [await peer.unended(), performance.now()]
      const times: number[] = []
      const { load } = await timed(peer, worker, async () => {
        const end = performance.now() + WITHIN_MS
        // The first ones find a worker that has just started, and are left out.
        await peer.roundTrips(5, 'urgent')
        const count = Math.min(SAMPLES_MAX, waiting)
        while (times.length < count && performance.now() < end) times.push(...(await peer.roundTrips(1, 'urgent')))
      })
      const [after, seconds] = [await peer.unended(), (performance.now() - since) / 1_000]
      assert.ok(after > 0 || waiting < 20_000, 'the backlog ran out before the last urgent job was measured')
      const figures = {
        ...latencyFigures(times),
        waiting,
        left: after,
        drainedPerSecond: Math.round((before - after) / seconds),
        enqueuedPerSecond: Math.round(waiting / enqueueSeconds),
        seconds: round(seconds),
      }
      return { figures, load }
    })
  },
}
