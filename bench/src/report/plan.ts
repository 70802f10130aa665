import type { Bench } from '../peer.ts'

/** What the report measures, in its order. */
export type Planned = {
  readonly key: string
  readonly bench: Bench
  readonly args: readonly string[]
  /** As a row of the table begins. */
  readonly title: string
  readonly unit: 'jobs/s' | 'steps/s' | 's' | 'ms' | 'MB' | '×'
  /** Further figures that stand behind the main one, by name, with what they are. */
  readonly more: Readonly<Record<string, string>>
}

export const plan: readonly Planned[] = [
  {
    key: 'bulk',
    bench: 'throughput',
    args: [],
    title: 'no-op jobs, enqueued in bulk, to stored results',
    unit: 'jobs/s',
    more: {},
  },
  {
    key: 'each',
    bench: 'throughput',
    args: ['--each', '--inflight', '50'],
    title: 'the same, one call per job, 50 in flight',
    unit: 'jobs/s',
    more: {},
  },
  {
    key: 'latency',
    bench: 'latency',
    args: [],
    title: 'submit to result in hand, one at a time: p50',
    unit: 'ms',
    more: { p99Ms: 'p99' },
  },
  {
    key: 'chord',
    bench: 'chord',
    args: ['--children', '5000'],
    title: 'a parent with 5,000 children, joined',
    unit: 's',
    more: {},
  },
  {
    key: 'chain',
    bench: 'chain',
    args: ['--chains', '200', '--steps', '10'],
    title: '200 chains of 10 jobs',
    unit: 'steps/s',
    more: {},
  },
  {
    key: 'recovery',
    bench: 'recovery',
    args: ['--cap-seconds', '90'],
    title: 'after kill -9 of a worker, its jobs run elsewhere',
    unit: 's',
    more: {},
  },
  {
    key: 'backlog',
    bench: 'backlog',
    args: ['--waiting', '200000'],
    title: 'an urgent job with 200,000 waiting: p50',
    unit: 'ms',
    more: { p99Ms: 'p99', waiting: 'waiting' },
  },
  {
    key: 'held',
    bench: 'held',
    args: [],
    title: 'jobs in bulk while a reader holds its snapshot',
    unit: 'jobs/s',
    more: { freeJobsPerSecond: 'without it' },
  },
  {
    key: 'idle',
    bench: 'idle',
    args: ['--runs', '1'],
    title: 'memory of an idle worker',
    unit: 'MB',
    more: { cpuPercent: '% CPU', serverCpuPercent: '% CPU of the server' },
  },
  {
    key: 'waiting',
    bench: 'waiting',
    args: ['--runs', '1'],
    title: '10,000 workflows that wait for a signal: memory more',
    unit: 'MB',
    more: { signalledToEndPerSecond: 'signalled to end, per s' },
  },
  {
    key: 'history',
    bench: 'history',
    args: ['--runs', '1', '--waiting', '1000000', '--finished', '10000000'],
    title: 'claim time with 1 M waiting and 10 M finished, against an empty store',
    unit: '×',
    more: { emptyMs: 'ms when empty', fullMs: 'ms when full' },
  },
]
