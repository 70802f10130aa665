import { setTimeout as sleep } from 'node:timers/promises'
import { treeRssMb } from '../machine/processes.ts'
import { round, timed, type Workload, withWorker } from './workload.ts'

/** What was begun comes to rest, and its garbage is collected. */
const SETTLE_MS = 2_000

export const waiting: Workload = {
  figure: 'moreRssMb',
  moreIsBetter: false,
  what: ({ waiting }) =>
    `${waiting} workflows that wait for a signal: what their worker's memory grows by, and its free slots`,
  measure: (peer, settings) =>
    withWorker(peer, async (worker) => {
      if (peer.waitForSignals === undefined || peer.signalAll === undefined) throw new Error('it knows no signals')
      await sleep(SETTLE_MS)
      const before = treeRssMb(worker.pid) ?? Number.NaN
      const { seconds, load } = await timed(
        peer,
        worker,
        () => peer.waitForSignals?.(settings.waiting) as Promise<void>,
      )
      await sleep(SETTLE_MS)
      const after = treeRssMb(worker.pid) ?? Number.NaN
      // A job that goes through at once shows that they hold no slot.
      const [throughMs = Number.NaN] = await peer.roundTrips(1, 'normal')
      const woken = await timed(peer, worker, () => peer.signalAll?.() as Promise<void>)
      return {
        figures: {
          moreRssMb: round(after - before),
          rssMb: round(after),
          beganPerSecond: Math.round(settings.waiting / seconds),
          roundTripMs: round(throughMs),
          signalledToEndPerSecond: Math.round(settings.waiting / woken.seconds),
        },
        load,
      }
    }),
}
