import { latencyFigures, timed, type Workload, withWorker } from './workload.ts'

const SAMPLES_MAX = 500
const WARM_UP = 50

export const latency: Workload = {
  figure: 'p50Ms',
  moreIsBetter: false,
  what: ({ jobs }) => `submit to result in hand, one at a time, ${Math.min(jobs, SAMPLES_MAX)} jobs`,
  measure: (peer, { jobs }) =>
    withWorker(peer, async (worker) => {
      await peer.roundTrips(WARM_UP, 'normal')
      let times: number[] = []
      const { load } = await timed(peer, worker, async () => {
        times = await peer.roundTrips(Math.min(jobs, SAMPLES_MAX), 'normal')
      })
      return { figures: latencyFigures(times), load }
    }),
}
