import assert from 'node:assert/strict'
import type { Peer } from './peer.ts'

/** What one workload measured of one peer; the first figure is the one that ratios are made of. */
export type Figures = { readonly [name: string]: number }

export type Settings = {
  readonly jobs: number
  readonly inflight: number
  readonly children: number
  readonly chains: number
  readonly steps: number
  readonly each: boolean
}

export type Workload = {
  /** Its main figure, and whether more of it is better. */
  readonly figure: string
  readonly moreIsBetter: boolean
  readonly what: (settings: Settings) => string
  measure(peer: Peer, settings: Settings): Promise<Figures>
}

export const workloads: Readonly<Record<string, Workload>> = {
  throughput: {
    figure: 'jobsPerSecond',
    moreIsBetter: true,
    what: ({ jobs, each, inflight }) =>
      `${jobs} no-op jobs with 200-byte inputs, ${each ? `one by one, ${inflight} in flight` : 'in bulk'}, from enqueue to stored result`,
    async measure(peer, { jobs, each, inflight }) {
      const seconds = await timed(() => (each ? peer.runEach(jobs, inflight) : peer.runBulk(jobs)))
      await peer.verify()
      return { jobsPerSecond: Math.round(jobs / seconds), seconds: round(seconds) }
    },
  },
  latency: {
    figure: 'p50Ms',
    moreIsBetter: false,
    what: ({ jobs }) => `submit to result in hand, one at a time, ${Math.min(jobs, 500)} jobs`,
    async measure(peer, { jobs }) {
      const times = (await peer.roundTrips(Math.min(jobs, 500))).sort((a, b) => a - b)
      const at = (share: number) =>
        round(times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN)
      return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1) }
    },
  },
  chord: {
    figure: 'seconds',
    moreIsBetter: false,
    what: ({ children }) => `a parent with ${children} children, until it has all their results and its own is in hand`,
    async measure(peer, { children }) {
      let received = 0
      const seconds = await timed(async () => {
        received = await peer.runChord(children)
      })
      assert.equal(received, children, `the parent received ${received} of ${children} results`)
      return { seconds: round(seconds), childrenPerSecond: Math.round(children / seconds) }
    },
  },
  chain: {
    figure: 'stepsPerSecond',
    moreIsBetter: true,
    what: ({ chains, steps }) => `${chains} chains of ${steps} jobs, each with the result of the one before`,
    async measure(peer, { chains, steps }) {
      let right = 0
      const seconds = await timed(async () => {
        right = await peer.runChains(chains, steps)
      })
      assert.equal(right, chains, `${right} of ${chains} chains ended with the right result`)
      return { stepsPerSecond: Math.round((chains * steps) / seconds), seconds: round(seconds) }
    },
  },
}

/** Lets code be compiled and caches fill, so that the first peer is not the one that pays for it. */
export async function warmUp(peer: Peer): Promise<void> {
  await peer.runBulk(2_000)
  await peer.roundTrips(30)
  await peer.runChains(10, 5)
}

/** The middle run by its main figure. */
export function median(runs: readonly Figures[], figure: string): Figures {
  const sorted = [...runs].sort((a, b) => (a[figure] ?? 0) - (b[figure] ?? 0))
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new Error('nothing was measured')
  return middle
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1_000
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
