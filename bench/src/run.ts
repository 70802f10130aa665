import { bullmq } from './bullmq/bullmq.ts'
import { celery } from './celery/celery.ts'
import { graphile } from './graphile/graphile.ts'
import { headrace } from './headrace/headrace.ts'
import { aboutMachine, type Machine } from './machine/about.ts'
import type { Options } from './options.ts'
import { type Bench, type Installed, isOurs, type PeerKind } from './peer.ts'
import { pgboss } from './pgboss/pgboss.ts'
import { stopPostgresServer } from './postgres/postgres-server.ts'
import { byTurns, type Turns } from './turns.ts'
import type { Figures, Measured, Settings, Workload } from './workloads/workload.ts'
import { workloads } from './workloads/workloads.ts'

export const peerKinds: readonly PeerKind[] = [bullmq, graphile, pgboss, celery]

/** Everyone that the report measures, in the order of its columns. */
export const systemKinds: readonly PeerKind[] = [headrace('sqlite'), headrace('postgres'), ...peerKinds]

/** A peer is not measured again once a run of it took so long. */
export const SLOW_MS = 20_000

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
const ALONE: Readonly<Partial<Record<Bench, string>>> = {
  waiting: 'it has no workflows that wait for a signal',
  history: 'its claims cannot be timed apart from its jobs',
}

/** Why a system is not put through a bench; undefined if it is. */
export function lackOf(kind: PeerKind, bench: Bench): string | undefined {
  return isOurs(kind) ? undefined : (ALONE[bench] ?? kind.lacks[bench])
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
    const us: Contender = { ...own, kind: ours }
    const turns = await byTurns([us, ...contenders], { runs: options.runs, slowMs }, ({ kind, open }) =>
      measureOnce({ kind, open }, bench, settings),
    )
    const [first, ...others] = rowsOf(turns, workload.figure)
    if (first?.name !== ours.name) throw turns.get(us)?.error ?? new Error('nothing was measured')
    return {
      bench,
      what: workload.what(settings),
      store: store.startsWith('sqlite') ? 'sqlite' : 'postgres',
      figure: workload.figure,
      headrace: first,
      peers: others.map((row) => ({ ...row, headraceIsTimesBetter: timesBetter(first, row, workload) })),
      notMeasured,
      failed: [...turns].flatMap(([{ kind }, { error }]) =>
        error === undefined ? [] : [{ name: kind.name, error: error.message }],
      ),
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
    const lack = lackOf(kind, bench)
    const found = lack === undefined ? await kind.find() : { missing: lack }
    if ('missing' in found) notMeasured.push({ name: kind.name, why: found.missing })
    else contenders.push({ ...found, kind })
  }
  return { contenders, notMeasured }
}

/** Headrace is measured as often as was asked for. */
function slowMs({ kind }: Contender): number {
  return isOurs(kind) ? Number.POSITIVE_INFINITY : SLOW_MS
}

function rowsOf(turns: ReadonlyMap<Contender, Turns<Run>>, figure: string): Row[] {
  return [...turns].filter(([, { error }]) => error === undefined).map(([one, { runs }]) => rowOf(one, runs, figure))
}

export type Run = Measured & { readonly durability: string }

/** Puts one system through one bench once, on an empty store. */
export async function measureOnce(
  { kind, open }: Pick<Contender, 'kind' | 'open'>,
  bench: Bench,
  settings: Settings,
): Promise<Run> {
  await using peer = await open(bench)
  const measured = await workloads[bench].measure(peer, shareOf(settings, kind, bench))
  return { ...measured, durability: peer.durability }
}

function shareOf(settings: Settings, { share }: PeerKind, bench: Bench): Settings {
  const part = (settings.each && bench === 'throughput' ? share.each : share[bench]) ?? 1
  const of = (count: number) => Math.max(1, Math.round(count * part))
  const { jobs, children, chains, waiting } = settings
  return { ...settings, jobs: of(jobs), children: of(children), chains: of(chains), waiting: of(waiting) }
}

function rowOf({ kind, versions }: Contender, runs: readonly Run[], figure: string): Row {
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
