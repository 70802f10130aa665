import { parseArgs } from 'node:util'
import { isStore } from './headrace/database.ts'
import { type Bench, benches } from './peer.ts'
import { isMeasurementKey, type MeasurementKey, measurementKeys } from './report/plan.ts'
import { defaultSettings, type Settings } from './workloads/workload.ts'

export const USAGE = `npm run bench -- ${benches.join('|')} [options]
npm run bench -- documents [--runs N] [--json]   pages with known words, beside Debian's tesseract
npm run bench -- report [options]   both stores and all peers by turns; the table and plots of docs/performance.md
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
  --json                    one JSON object on stdout

  report, which takes --runs, --peers and --json (then it leaves the page alone), and some 25 minutes:
  --quick                   small sizes, one run: to see that it works
  --only KEY,…              only these: ${measurementKeys.join(', ')}
  --from FILE,…             writes the page from what --json printed; of two measurements of the same, the later file's
  BENCH_POSTGRES=postgres://…   the server for all that need one; otherwise it starts one from installed binaries`

export type Options = {
  readonly bench: Bench
  readonly store: string
  readonly settings: Settings
  readonly runs: number
  /** `all`, or the names of peers as they begin: `bullmq` for `bullmq:redis`. */
  readonly peers: 'all' | readonly string[]
  readonly json: boolean
}

export type ReportOptions = {
  /** Of each measurement that is not measured less often. */
  readonly runs: number
  readonly peers: Options['peers']
  readonly isQuick: boolean
  readonly only: readonly MeasurementKey[]
  /** Files with what was measured before; with any, nothing is measured. */
  readonly from: readonly string[]
  readonly json: boolean
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
  const count = (option: keyof typeof values, max: number, value: unknown = values[option]) =>
    wholeNumber(option, value, max)
  return {
    bench,
    store: values.store,
    runs: count('runs', 100),
    peers: peersOf(values.peers),
    json: values.json,
    settings: {
      jobs: count('jobs', 10_000_000),
      each: values.each,
      inflight: count('inflight', 1_000),
      children: count('children', 100_000),
      chains: count('chains', 10_000),
      steps: count('steps', 1_000),
      waiting: count('waiting', 10_000_000, values.waiting ?? WAITING[bench] ?? String(defaultSettings.waiting)),
      finished: count('finished', 100_000_000),
      capSeconds: count('cap-seconds', 3_600),
    },
  }
}

/** Undefined unless it is the report that is asked for. @throws {UsageError} */
export function parseReportOptions(args: readonly string[]): ReportOptions | undefined {
  const { values, positionals } = parse(args)
  if (positionals[0] !== 'report' || values.help) return undefined
  if (args.some((arg) => arg.startsWith('--store')))
    throw new UsageError('report measures both stores; BENCH_POSTGRES names a server if it is not to start one.')
  const only = values.only?.split(',') ?? measurementKeys
  const unknown = only.find((key) => !isMeasurementKey(key))
  if (unknown !== undefined)
    throw new UsageError(`--only takes ${measurementKeys.join(', ')}, separated by commas, not ${unknown}.`)
  return {
    runs: values.quick ? 1 : wholeNumber('runs', values.runs, 100),
    peers: peersOf(values.peers),
    isQuick: values.quick,
    only: only.filter(isMeasurementKey),
    from: values.from?.split(',') ?? [],
    json: values.json,
  }
}

function peersOf(value: string): Options['peers'] {
  if (value === 'all') return 'all'
  return value === 'none' ? [] : value.split(',')
}

function wholeNumber(option: string, value: unknown, max: number): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 1 && number <= max) return number
  throw new UsageError(`--${option} takes a whole number from 1 to ${max}, not ${value}.`)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        store: { type: 'string', default: 'sqlite' },
        jobs: { type: 'string', default: String(defaultSettings.jobs) },
        each: { type: 'boolean', default: false },
        inflight: { type: 'string', default: String(defaultSettings.inflight) },
        children: { type: 'string', default: String(defaultSettings.children) },
        chains: { type: 'string', default: String(defaultSettings.chains) },
        steps: { type: 'string', default: String(defaultSettings.steps) },
        waiting: { type: 'string' },
        finished: { type: 'string', default: String(defaultSettings.finished) },
        'cap-seconds': { type: 'string', default: String(defaultSettings.capSeconds) },
        runs: { type: 'string', default: '3' },
        peers: { type: 'string', default: 'all' },
        json: { type: 'boolean', default: false },
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        from: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
}
