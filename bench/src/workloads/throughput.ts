import { treePeakRssMb } from '../machine/processes.ts'
import { round, timed, type Workload, withWorker } from './workload.ts'

export const throughput: Workload = {
  figure: 'jobsPerSecond',
  moreIsBetter: true,
  what: ({ jobs, each, inflight }) =>
    `${jobs} no-op jobs with 200-byte inputs, ${each ? `one by one, ${inflight} in flight` : 'in bulk'}, from enqueue to stored result`,
  measure: (peer, { jobs, each, inflight }) =>
    withWorker(peer, async (worker) => {
      // A tenth of it first: code is compiled and caches fill, as they are on a server that has run for a minute.
      const enqueue = (count: number) => (each ? peer.enqueueEach(count, inflight) : peer.enqueueBulk(count))
      await enqueue(Math.ceil(jobs / 10))
      await peer.allEnded()
      const { seconds, load } = await timed(peer, worker, async () => {
        await enqueue(jobs)
        await peer.allEnded()
      })
      const workerPeakRssMb = round(treePeakRssMb(worker.pid) ?? Number.NaN)
      await peer.verify()
      const jobsPerSecond = Math.round(jobs / seconds)
      return { figures: { jobsPerSecond, seconds: round(seconds), jobs, workerPeakRssMb }, load }
    }),
}
