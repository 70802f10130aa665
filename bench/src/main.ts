// npm run bench -- throughput|latency|chord|chain [--store sqlite] [--json] ...; see README.md beside this folder.
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { redisVersion } from './bullmq/redis-server.ts'
import { openHeadrace } from './headrace/headrace.ts'
import { type Figures, median, type Settings, warmUp, workloads } from './measure.ts'
import type { Peer } from './peer.ts'

const USAGE = `npm run bench -- ${Object.keys(workloads).join('|')} [options]
  --store sqlite      the store (default, and the only one so far)
  --jobs N            throughput: how many jobs (20000)
  --each              throughput: one call per job instead of bulk
  --inflight N        with --each: calls at once (50)
  --children N        chord: size of the group (5000)
  --chains N --steps N  chain: how many, how long (200, 10)
  --runs N            runs per peer, alternating; the median is given (3)
  --peers none        Headrace alone
  --json              one JSON object on stdout`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: 'string', default: 'sqlite' },
    jobs: { type: 'string', default: '20000' },
    each: { type: 'boolean', default: false },
    inflight: { type: 'string', default: '50' },
    children: { type: 'string', default: '5000' },
    chains: { type: 'string', default: '200' },
    steps: { type: 'string', default: '10' },
    runs: { type: 'string', default: '3' },
    peers: { type: 'string', default: 'installed' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const name = positionals[0] ?? ''
const workload = workloads[name]
if (workload === undefined || values.help)
  fail(workload === undefined && name !== '' ? `There is no bench ${name}.\n${USAGE}` : USAGE)
if (values.store !== 'sqlite') fail(`There is no store ${values.store} yet; sqlite is the one.`)

const settings: Settings = {
  jobs: count('jobs', 1_000_000),
  inflight: count('inflight', 1_000),
  children: count('children', 100_000),
  chains: count('chains', 10_000),
  steps: count('steps', 1_000),
  each: values.each,
}

const ours = await openHeadrace()
const peers: Peer[] = [ours]
const redis = values.peers === 'none' ? undefined : redisVersion()
if (redis !== undefined) peers.push(await (await import('./bullmq/bullmq.ts')).openBullmq())

const runs = new Map<Peer, Figures[]>(peers.map((peer) => [peer, []]))
for (const peer of peers) await warmUp(peer)
// In turns, so that whatever else the machine does falls on all of them alike.
for (let run = 0; run < count('runs', 100); run++) {
  for (const peer of peers) runs.get(peer)?.push(await workload.measure(peer, settings))
}
for (const peer of peers) await peer[Symbol.asyncDispose]()

const figuresOf = (peer: Peer) => median(runs.get(peer) ?? [], workload.figure)
const ourFigures = figuresOf(ours)
const report = {
  bench: name,
  what: workload.what(settings),
  store: values.store,
  ...ourFigures,
  durability: ours.durability,
  runs: runs.get(ours)?.map((figures) => figures[workload.figure]),
  peers: peers.slice(1).map((peer) => {
    const figures = figuresOf(peer)
    const [a, b] = [ourFigures[workload.figure] ?? 0, figures[workload.figure] ?? 0]
    const timesBetter = Number((workload.moreIsBetter ? a / b : b / a).toFixed(2))
    return { name: peer.name, ...figures, durability: peer.durability, headraceIsTimesBetter: timesBetter }
  }),
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    redis: redis ?? 'not installed',
  },
}
if (values.json) console.log(JSON.stringify(report))
else print(report)

function print({ bench, what, peers, machine, ...own }: typeof report): void {
  console.log(`${bench}: ${what}\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n`)
  console.log(`  ${ours.name.padEnd(18)} ${JSON.stringify(ourFigures)}  (${own.durability})`)
  for (const { name, durability, headraceIsTimesBetter, ...figures } of peers) {
    console.log(`  ${name.padEnd(18)} ${JSON.stringify(figures)}  (${durability})`)
    console.log(`  Headrace is ${headraceIsTimesBetter} times as good as ${name}.`)
  }
  if (peers.length === 0) console.log('  No peer was measured: BullMQ needs redis-server.')
}

function count(option: 'jobs' | 'inflight' | 'children' | 'chains' | 'steps' | 'runs', max: number): number {
  const value = Number(values[option])
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  return fail(`--${option} takes a whole number from 1 to ${max}, not ${values[option]}.`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
