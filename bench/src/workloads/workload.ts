import { type Load, watchLoad } from '../machine/load.ts'
import type { Peer } from '../peer.ts'
import type { WorkerProcess } from '../process/worker-process.ts'

/** What one run measured of one peer. */
export type Figures = Readonly<Record<string, number>>
export type Measured = { readonly figures: Figures; readonly load?: Load | undefined }

export type Settings = {
  readonly jobs: number
  readonly each: boolean
  readonly inflight: number
  readonly children: number
  readonly chains: number
  readonly steps: number
  /** Of `backlog` and `waiting`: how many wait. */
  readonly waiting: number
  /** Of `history`: how many have finished. */
  readonly finished: number
  /** Of `recovery`: after so many seconds nobody waits any longer. */
  readonly capSeconds: number
}

export const defaultSettings: Settings = {
  jobs: 20_000,
  each: false,
  inflight: 50,
  children: 5_000,
  chains: 200,
  steps: 10,
  waiting: 200_000,
  finished: 1_000_000,
  capSeconds: 120,
}

export type Workload = {
  /** Its main figure, of which ratios are made. */
  readonly figure: string
  readonly moreIsBetter: boolean
  what(settings: Settings): string
  measure(peer: Peer, settings: Settings): Promise<Measured>
}

/** Runs `work` with a worker that has warmed up; the worker is stopped whatever happens. */
export async function withWorker<T>(peer: Peer, work: (worker: WorkerProcess) => Promise<T>): Promise<T> {
  const worker = await peer.startWorker()
  try {
    return await work(worker)
  } finally {
    await worker.stop()
  }
}

/** Times `work`, and who used the CPU meanwhile. */
export async function timed(
  peer: Peer,
  worker: WorkerProcess,
  work: () => Promise<unknown>,
): Promise<{ seconds: number; load: Load | undefined }> {
  const load = watchLoad({ worker: worker.pid, server: peer.serverPid, otherProducer: peer.producerPid })
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1_000
  return { seconds, load: load() }
}

export function round(value: number): number {
  return Number(value.toPrecision(4))
}

export function percentile(sorted: readonly number[], share: number): number {
  return round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN)
}

export function latencyFigures(times: readonly number[]): Figures {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => percentile(sorted, share)
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1), samples: sorted.length }
}
