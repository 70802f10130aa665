import { parseArgs } from 'node:util'
import { isStore } from './headrace/database.ts'
import { type Bench, benches } from './peer.ts'
import type { Settings } from './workloads/workload.ts'

export const USAGE = `npm run bench -- ${benches.join('|')} [options]
npm run bench -- documents [--runs N] [--json]   pages with known words, beside Debian's tesseract
npm run bench -- report [options]   all of them, with tables and plots into docs/performance.md
npm run bench -- models [options]   an ONNX endpoint: batches against one by one; --help says more

  --store sqlite            the store (default)
  --store postgres://…      a server in which the bench makes a database of its own, and drops it
  --store postgres          a server of the bench's own, from installed binaries
  --jobs N                  throughput, held: how many jobs (20000)
  --each                    throughput: one call per job instead of bulk
  --inflight N              with --each: calls at once (50)
  --children N              chord: size of the group (5000)
  --chains N --steps N      chain: how many, how long (200, 10)
  --waiting N               backlog, history, waiting: how many wait (200000, 1000000, 10000)
  --finished N              history: how many have finished (1000000)
  --cap-seconds N           recovery: how long to wait for it (120)
  --runs N                  runs per peer, by turns; the median is given (3)
  --peers none|NAME,…       Headrace alone, or only these peers (all that are installed)
  --json                    one JSON object on stdout; --whole-report: with each system's figures apart
  --only KEY,…              report: only these (bulk, each, latency, chord, chain, recovery, backlog, …)
  --no-measure              report: writes the page anew from what was measured before`

export type Options = {
  readonly bench: Bench
  readonly store: string
  readonly settings: Settings
  readonly runs: number
  /** `all`, or the names of peers as they begin: `bullmq` for `bullmq:redis`. */
  readonly peers: 'all' | readonly string[]
  readonly json: boolean
  readonly wholeReport: boolean
}

export type ReportOptions = {
  readonly store: string
  readonly only: readonly string[] | undefined
  readonly measure: boolean
  /** Handed on to each bench. */
  readonly more: readonly string[]
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const WAITING: Readonly<Partial<Record<Bench, string>>> = { history: '1000000', waiting: '10000' }

/** @throws {UsageError} with what is wrong and what there is */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args)
  const [name] = positionals
  if (name === undefined || values.help) throw new UsageError(USAGE)
  const bench = benches.find((one) => one === name)
  if (bench === undefined) throw new UsageError(`There is no bench ${name}.\n${USAGE}`)
  if (!isStore(values.store))
    throw new UsageError(`--store takes sqlite, postgres or a postgres:// URL, not ${values.store}.`)
  const count = (option: keyof typeof values, max: number, value = values[option]) => {
    const number = Number(value)
    if (Number.isInteger(number) && number >= 1 && number <= max) return number
    throw new UsageError(`--${option} takes a whole number from 1 to ${max}, not ${value}.`)
  }
  return {
    bench,
    store: values.store,
    runs: count('runs', 100),
    peers: values.peers === 'all' ? 'all' : values.peers === 'none' ? [] : values.peers.split(','),
    json: values.json,
    wholeReport: values['whole-report'],
    settings: {
      jobs: count('jobs', 10_000_000),
      each: values.each,
      inflight: count('inflight', 1_000),
      children: count('children', 100_000),
      chains: count('chains', 10_000),
      steps: count('steps', 1_000),
      waiting: count('waiting', 10_000_000, values.waiting ?? WAITING[bench] ?? '200000'),
      finished: count('finished', 100_000_000),
      capSeconds: count('cap-seconds', 3_600),
    },
  }
}

/** Undefined unless it is the report that is asked for. @throws {UsageError} */
export function parseReportOptions(args: readonly string[]): ReportOptions | undefined {
  const { values, positionals } = parse(args)
  if (positionals[0] !== 'report' || values.help) return undefined
  if (!isStore(values.store))
    throw new UsageError(`--store takes sqlite, postgres or a postgres:// URL, not ${values.store}.`)
  return {
    store: values.store,
    only: values.only?.split(','),
    measure: !values['no-measure'],
    more: ['--peers', values.peers, ...(args.some((arg) => arg.startsWith('--runs')) ? ['--runs', values.runs] : [])],
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        store: { type: 'string', default: 'sqlite' },
        jobs: { type: 'string', default: '20000' },
        each: { type: 'boolean', default: false },
        inflight: { type: 'string', default: '50' },
        children: { type: 'string', default: '5000' },
        chains: { type: 'string', default: '200' },
        steps: { type: 'string', default: '10' },
        waiting: { type: 'string' },
        finished: { type: 'string', default: '1000000' },
        'cap-seconds': { type: 'string', default: '120' },
        runs: { type: 'string', default: '3' },
        peers: { type: 'string', default: 'all' },
        json: { type: 'boolean', default: false },
        'whole-report': { type: 'boolean', default: false },
        only: { type: 'string' },
        'no-measure': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
}
