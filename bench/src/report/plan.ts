import type { Bench } from '../peer.ts'
import { defaultSettings, type Settings } from '../workloads/workload.ts'

export const measurementKeys = [
  'bulk',
  'each',
  'latency',
  'chain',
  'chord1000',
  'chord5000',
  'recovery',
  'backlog',
  'held',
  'idle',
  'waiting',
] as const
export type MeasurementKey = (typeof measurementKeys)[number]

export function isMeasurementKey(key: string): key is MeasurementKey {
  return measurementKeys.some((one) => one === key)
}

/** What every system is put through, as far as it can be. */
export type Measurement = {
  readonly key: MeasurementKey
  readonly bench: Bench
  readonly settings: Settings
  /** However many runs are asked for: it takes long, or hardly varies. */
  readonly runsMax: number
}

const BENCHES: Readonly<Record<MeasurementKey, Bench>> = {
  bulk: 'throughput',
  each: 'throughput',
  latency: 'latency',
  chain: 'chain',
  chord1000: 'chord',
  chord5000: 'chord',
  recovery: 'recovery',
  backlog: 'backlog',
  held: 'held',
  idle: 'idle',
  waiting: 'waiting',
}

const SETTINGS: Readonly<Partial<Record<MeasurementKey, Partial<Settings>>>> = {
  each: { each: true },
  chord1000: { children: 1_000 },
  recovery: { capSeconds: 90 },
  waiting: { waiting: 10_000 },
}

/** Large enough to see that everything works, and too small to say anything about speed. */
const QUICK: Partial<Settings> = { jobs: 200, children: 100, chains: 5, waiting: 500, capSeconds: 5 }
const QUICK_CHORD_1000: Partial<Settings> = { children: 20 }

export function measurementsOf(options: {
  readonly only: readonly MeasurementKey[]
  readonly isQuick: boolean
}): Measurement[] {
  const { only, isQuick } = options
  return measurementKeys
    .filter((key) => only.includes(key))
    .map((key) => ({
      key,
      bench: BENCHES[key],
      settings: {
        ...defaultSettings,
        ...SETTINGS[key],
        ...(isQuick && QUICK),
        ...(isQuick && key === 'chord1000' && QUICK_CHORD_1000),
      },
      runsMax: key === 'idle' || key === 'waiting' ? 1 : Number.POSITIVE_INFINITY,
    }))
}

/** The setting and the figure that say how much was to be done, and how much of it one system was given. */
export const sizes: Readonly<Partial<Record<MeasurementKey, 'jobs' | 'children' | 'chains' | 'waiting'>>> = {
  bulk: 'jobs',
  each: 'jobs',
  chain: 'chains',
  chord1000: 'children',
  chord5000: 'children',
  backlog: 'waiting',
  held: 'jobs',
}

/** A row of the table. */
export type Row = {
  readonly of: MeasurementKey
  /** With the unit, and in the order of the figures. */
  readonly title: (settings: Settings) => string
  readonly unit: string
  /** Names of figures, shown one after the other; a plot shows the first. */
  readonly figures: readonly string[]
  readonly moreIsBetter: boolean
  /** What Headrace is to reach in each of the figures, by store. */
  readonly goals?: Readonly<Record<'sqlite' | 'postgres', readonly number[]>>
}

export const rows = {
  bulk: {
    of: 'bulk',
    title: ({ jobs }) => `${words(jobs)} no-op jobs in bulk, to stored results, jobs/s`,
    unit: 'jobs/s',
    figures: ['jobsPerSecond'],
    moreIsBetter: true,
    goals: { sqlite: [30_000], postgres: [12_000] },
  },
  each: {
    of: 'each',
    title: ({ inflight }) => `the same, one call per job, ${inflight} in flight, jobs/s`,
    unit: 'jobs/s',
    figures: ['jobsPerSecond'],
    moreIsBetter: true,
    goals: { sqlite: [15_000], postgres: [7_000] },
  },
  latency: {
    of: 'latency',
    title: () => 'submit to result in hand, one at a time, p50 / p99, ms',
    unit: 'ms',
    figures: ['p50Ms', 'p99Ms'],
    moreIsBetter: false,
    goals: { sqlite: [1, 4], postgres: [2, 6] },
  },
  chain: {
    of: 'chain',
    title: ({ chains, steps }) => `${chains} chains of ${steps} jobs, steps/s`,
    unit: 'steps/s',
    figures: ['stepsPerSecond'],
    moreIsBetter: true,
    goals: { sqlite: [15_000], postgres: [6_000] },
  },
  chord1000: {
    of: 'chord1000',
    title: ({ children }) => `a parent with ${words(children)} children, joined, s`,
    unit: 's',
    figures: ['seconds'],
    moreIsBetter: false,
  },
  chord5000: {
    of: 'chord5000',
    title: ({ children }) => `a parent with ${words(children)} children, joined, s`,
    unit: 's',
    figures: ['seconds'],
    moreIsBetter: false,
    goals: { sqlite: [0.6], postgres: [1] },
  },
  recovery: {
    of: 'recovery',
    title: () => 'kill -9 of a worker, default settings, until its jobs run elsewhere, s',
    unit: 's',
    figures: ['seconds'],
    moreIsBetter: false,
    goals: { sqlite: [1], postgres: [2] },
  },
  backlog: {
    of: 'backlog',
    title: ({ waiting }) => `an urgent job with ${words(waiting)} waiting, p50 / p99, ms`,
    unit: 'ms',
    figures: ['p50Ms', 'p99Ms'],
    moreIsBetter: false,
    goals: { sqlite: [5], postgres: [8] },
  },
  held: {
    of: 'held',
    title: ({ jobs }) => `${words(jobs)} jobs in bulk while a reader holds its snapshot / just before, jobs/s`,
    unit: 'jobs/s',
    figures: ['jobsPerSecond', 'freeJobsPerSecond'],
    moreIsBetter: true,
  },
  idle: {
    of: 'idle',
    title: () => 'an idle worker, MB',
    unit: 'MB',
    figures: ['rssMb'],
    moreIsBetter: false,
    goals: { sqlite: [75], postgres: [75] },
  },
  idleCpu: {
    of: 'idle',
    title: () => 'CPU of an idle worker / of its server, %',
    unit: '%',
    figures: ['cpuPercent', 'serverCpuPercent'],
    moreIsBetter: false,
    goals: { sqlite: [1], postgres: [1, 1] },
  },
  work: {
    of: 'bulk',
    title: () => 'a worker at work on jobs in bulk, at its height, MB',
    unit: 'MB',
    figures: ['workerPeakRssMb'],
    moreIsBetter: false,
  },
  waiting: {
    of: 'waiting',
    title: ({ waiting }) => `${words(waiting)} workflows that wait for a signal, MB more`,
    unit: 'MB',
    figures: ['moreRssMb'],
    moreIsBetter: false,
    goals: { sqlite: [150], postgres: [150] },
  },
} as const satisfies Readonly<Record<string, Row>>
export type RowKey = keyof typeof rows

/** A picture with a panel for each of some rows. */
export type Picture = { readonly file: string; readonly title: string; readonly panels: readonly Panel[] }
export type Panel = { readonly row: RowKey; readonly title: (settings: Settings) => string }

export const pictures: readonly Picture[] = [
  {
    file: 'performance-throughput.svg',
    title: 'Jobs per second',
    panels: [
      { row: 'bulk', title: ({ jobs }) => `${words(jobs)} jobs in bulk` },
      { row: 'each', title: ({ inflight }) => `One call per job, ${inflight} in flight` },
      { row: 'chain', title: ({ chains, steps }) => `${chains} chains of ${steps} jobs` },
      { row: 'held', title: () => 'In bulk, while a reader holds its snapshot' },
    ],
  },
  {
    file: 'performance-time.svg',
    title: 'Time',
    panels: [
      { row: 'latency', title: () => 'Submit to result in hand, p50' },
      { row: 'backlog', title: ({ waiting }) => `An urgent job with ${words(waiting)} waiting, p50` },
      { row: 'chord1000', title: ({ children }) => `A parent with ${words(children)} children` },
      { row: 'chord5000', title: ({ children }) => `A parent with ${words(children)} children` },
      { row: 'recovery', title: () => 'kill -9 of a worker, until its jobs run elsewhere' },
    ],
  },
  {
    file: 'performance-memory.svg',
    title: 'Memory of a worker',
    panels: [
      { row: 'idle', title: () => 'Idle' },
      { row: 'work', title: () => 'At work on jobs in bulk, at its height' },
    ],
  },
]

/** As a title says it. */
function words(count: number): string {
  return count.toLocaleString('en-US')
}
