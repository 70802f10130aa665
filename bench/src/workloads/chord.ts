import assert from 'node:assert/strict'
import { round, timed, type Workload, withWorker } from './workload.ts'

export const chord: Workload = {
  figure: 'seconds',
  moreIsBetter: false,
  what: ({ children }) => `a parent with ${children} children, until it has all their results and its own is in hand`,
  measure: (peer, { children }) =>
    withWorker(peer, async (worker) => {
      const run = (size: number) => peer.runChord?.(size) ?? Promise.resolve(0)
      await run(Math.ceil(children / 20))
      let received = 0
      const { seconds, load } = await timed(peer, worker, async () => {
        received = await run(children)
      })
      assert.equal(received, children, `the parent received ${received} of ${children} results`)
      const figures = { seconds: round(seconds), childrenPerSecond: Math.round(children / seconds), children }
      return { figures, load }
    }),
}
