import { setTimeout as sleep } from 'node:timers/promises'
import { bullmq } from './bullmq/bullmq.ts'
import { celery } from './celery/celery.ts'
import { graphile } from './graphile/graphile.ts'
import { headrace } from './headrace/headrace.ts'
import { aboutMachine, type Machine } from './machine/about.ts'
import type { Options } from './options.ts'
import type { Installed, PeerKind } from './peer.ts'
import { pgboss } from './pgboss/pgboss.ts'
import { stopPostgresServer } from './postgres/postgres-server.ts'
import type { Figures, Measured, Settings, Workload } from './workloads/workload.ts'
import { workloads } from './workloads/workloads.ts'

export const peerKinds: readonly PeerKind[] = [bullmq, graphile, pgboss, celery]

/** A slow peer is not measured again once a run of it took so long: its rate is steady, and time is short. */
const SLOW_MS = 20_000
/** What a peer has left behind (a dropped database, a closed file) is done with before the next one is measured. */
const REST_MS = 300

export type Row = {
  readonly name: string
  readonly versions: Readonly<Record<string, string>>
  readonly durability: string
  /** Of the run in the middle. */
  readonly figures: Figures
  /** The main figure of each run. */
  readonly runs: readonly number[]
  /** CPU seconds by part, in the run in the middle. */
  readonly cpuSeconds?: Readonly<Record<string, number>>
  /** The greatest share of the machine that something else took in any run. */
  readonly otherCpuShare?: number
}

export type PeerRow = Row & { readonly headraceIsTimesBetter: number }

export type Report = {
  readonly bench: string
  readonly what: string
  readonly store: string
  readonly figure: string
  readonly headrace: Row
  readonly peers: readonly PeerRow[]
  /** Peers that were not measured, each with the reason. */
  readonly notMeasured: readonly { readonly name: string; readonly why: string }[]
  /** Peers that came to grief. */
  readonly failed: readonly { readonly name: string; readonly error: string }[]
  readonly machine: Machine
  readonly at: string
}

/** Benches of what no peer does in a way that could be compared. */
const ALONE: Readonly<Partial<Record<Options['bench'], string>>> = {
  waiting: 'only Headrace is put through it',
  history: 'only Headrace is put through it',
}

type Contender = Installed & { readonly kind: PeerKind }

/** Puts Headrace and its peers through one bench, by turns, each alone on the machine. */
export async function runBench(options: Options): Promise<Report> {
  const { bench, store, settings } = options
  const workload = workloads[bench]
  const ours = headrace(store)
  const { contenders, notMeasured } = await findPeers(options)
  const own = await ours.find()
  if ('missing' in own) throw new Error(own.missing)
  try {
    const measured = await byTurns([{ ...own, kind: ours }, ...contenders], workload, options)
    const [first, ...others] = measured.rows
    if (first === undefined) throw new Error(measured.failed[0]?.error ?? 'nothing was measured')
    return {
      bench,
      what: workload.what(settings),
      store: store.startsWith('sqlite') ? 'sqlite' : 'postgres',
      figure: workload.figure,
      headrace: first,
      peers: others.map((row) => ({ ...row, headraceIsTimesBetter: timesBetter(first, row, workload) })),
      notMeasured,
      failed: measured.failed,
      machine: aboutMachine(),
      at: new Date().toISOString(),
    }
  } finally {
    await stopPostgresServer()
  }
}

async function findPeers({ bench, peers }: Options) {
  const contenders: Contender[] = []
  const notMeasured: { name: string; why: string }[] = []
  for (const kind of peerKinds) {
    if (peers !== 'all' && !peers.some((name) => kind.name.startsWith(name))) continue
    const lack = ALONE[bench] ?? kind.lacks[bench]
    const found = lack === undefined ? await kind.find() : { missing: lack }
    if ('missing' in found) notMeasured.push({ name: kind.name, why: found.missing })
    else contenders.push({ ...found, kind })
  }
  return { contenders, notMeasured }
}

async function byTurns(contenders: readonly Contender[], workload: Workload, { bench, settings, runs }: Options) {
  const all = new Map<Contender, (Measured & { durability: string })[]>(contenders.map((one) => [one, []]))
  const failed = new Map<Contender, string>()
  const slow = new Set<Contender>()
  // By turns, so that whatever else the machine does falls on all of them alike.
  for (let run = 0; run < runs; run++) {
    for (const contender of contenders) {
      if (failed.has(contender) || slow.has(contender)) continue
      const start = performance.now()
      try {
        all.get(contender)?.push(await measureOnce(contender, workload, bench, settings))
      } catch (error) {
        if (contender === contenders[0]) throw error
        failed.set(contender, error instanceof Error ? error.message : String(error))
      }
      if (performance.now() - start > SLOW_MS && contender !== contenders[0]) slow.add(contender)
      await sleep(REST_MS)
    }
  }
  return {
    rows: contenders.filter((one) => !failed.has(one)).map((one) => rowOf(one, all.get(one) ?? [], workload.figure)),
    failed: [...failed].map(([{ kind }, error]) => ({ name: kind.name, error })),
  }
}

async function measureOnce(contender: Contender, workload: Workload, bench: Options['bench'], settings: Settings) {
  await using peer = await contender.open(bench)
  const measured = await workload.measure(peer, shareOf(settings, contender.kind, bench))
  return { ...measured, durability: peer.durability }
}

function shareOf(settings: Settings, { share }: PeerKind, bench: Options['bench']): Settings {
  const part = (settings.each && bench === 'throughput' ? share.each : share[bench]) ?? 1
  const of = (count: number) => Math.max(1, Math.round(count * part))
  const { jobs, children, chains, waiting } = settings
  return { ...settings, jobs: of(jobs), children: of(children), chains: of(chains), waiting: of(waiting) }
}

function rowOf(
  { kind, versions }: Contender,
  runs: readonly (Measured & { durability: string })[],
  figure: string,
): Row {
  const sorted = [...runs].sort((a, b) => (a.figures[figure] ?? 0) - (b.figures[figure] ?? 0))
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new Error(`${kind.name} was not measured`)
  const { figures, load, durability } = middle
  return {
    name: kind.name,
    versions,
    durability,
    figures,
    runs: runs.map((run) => run.figures[figure] ?? Number.NaN),
    ...(load !== undefined && {
      cpuSeconds: load.cpuSeconds,
      otherCpuShare: Math.max(...runs.map((run) => run.load?.otherCpuShare ?? 0)),
    }),
  }
}

function timesBetter(ours: Row, theirs: Row, { figure, moreIsBetter }: Workload): number {
  const [a, b] = [ours.figures[figure] ?? Number.NaN, theirs.figures[figure] ?? Number.NaN]
  return Number((moreIsBetter ? a / b : b / a).toFixed(2))
}
