import { round, type Settings, timed, type Workload, withWorker } from './workload.ts'

export const held: Workload = {
  figure: 'jobsPerSecond',
  moreIsBetter: true,
  what: ({ jobs }) =>
    `${jobs} no-op jobs in bulk while another session holds a snapshot open, after as many without it`,
  measure: (peer, { jobs }: Settings) =>
    withWorker(peer, async (worker) => {
      const run = () =>
        timed(peer, worker, async () => {
          await peer.enqueueBulk(jobs)
          await peer.allEnded()
        })
      await peer.enqueueBulk(Math.ceil(jobs / 10))
      await peer.allEnded()
      const free = await run()
      if (peer.holdReader === undefined) throw new Error('nobody can hold a reader open at its store')
      await using _reader = await peer.holdReader()
      const { seconds, load } = await run()
      await peer.verify()
      const figures = {
        jobsPerSecond: Math.round(jobs / seconds),
        freeJobsPerSecond: Math.round(jobs / free.seconds),
        ratio: round(seconds / free.seconds),
        jobs,
      }
      return { figures, load }
    }),
}
