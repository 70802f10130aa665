import assert from 'node:assert/strict'
import { round, timed, type Workload, withWorker } from './workload.ts'

export const chain: Workload = {
  figure: 'stepsPerSecond',
  moreIsBetter: true,
  what: ({ chains, steps }) => `${chains} chains of ${steps} jobs, each with the result of the one before`,
  measure: (peer, { chains, steps }) =>
    withWorker(peer, async (worker) => {
      const run = (count: number) => peer.runChains?.(count, steps) ?? Promise.resolve(0)
      await run(Math.ceil(chains / 10))
      let right = 0
      const { seconds, load } = await timed(peer, worker, async () => {
        right = await run(chains)
      })
      assert.equal(right, chains, `${right} of ${chains} chains ended with the right result`)
      const figures = { stepsPerSecond: Math.round((chains * steps) / seconds), seconds: round(seconds), chains }
      return { figures, load }
    }),
}
