import { spawn } from 'node:child_process'
import { Command, Option } from 'commander'
import {
  type ArtifactsOptions,
  artifactsOption,
  type Cli,
  type CommonOptions,
  deploymentOption,
  examples,
  optionsOf,
  type StoreOptions,
  storeOption,
} from '../cli.ts'
import { clientOf } from '../connection/connect.ts'
import { submitDemo } from '../demo/submit-demo.ts'
import { parsePort, parseQueues, parseSizeBytes } from '../inputs/options.ts'
import { findDashboard } from '../serve/dashboard-files.ts'
import type { RunningServer } from '../serve/local-server.ts'
import { stopSignal } from '../serve/stop-signal.ts'
import { liveLines } from '../terminal/live-lines.ts'
import { VERSION } from '../version.ts'

type ServeCommandOptions = CommonOptions &
  ArtifactsOptions &
  StoreOptions & {
    readonly host: string
    readonly port: number
    readonly worker: boolean
    readonly queues?: Readonly<Record<string, number>>
    readonly open: 'yes' | 'no'
    readonly uploadMax?: number
    readonly deployment?: string
  }

const GRACE_MS = 10_000

/** `headrace serve` */
export function serveCommand(cli: Cli): Command {
  return new Command('serve')
    .description('serve the API and the dashboard, with a worker, from one data folder')
    .option('--host <host>', 'the address to listen on', '127.0.0.1')
    .option('--port <port>', 'the port to listen on; 0 takes any free one', parsePort, 8080)
    .option('--no-worker', 'take no jobs here; workers beside it do')
    .option('--queues <queues>', 'how many jobs of which queue at once, such as geo=4,default=10', parseQueues)
    .option('--upload-max <size>', 'the largest upload that is taken, such as 500MiB (16GiB)', parseSizeBytes)
    .addOption(new Option('--open <choice>', 'open the dashboard in a browser').choices(['yes', 'no']).default('no'))
    .addOption(deploymentOption())
    .addOption(artifactsOption())
    .addOption(storeOption())
    .addHelpText(
      'after',
      `${examples(
        'headrace serve',
        'headrace serve --port 0 --open yes',
        'headrace serve --host 0.0.0.0 --port 80 --data /var/lib/headrace',
        'headrace serve --no-worker & headrace worker --queues geo=4,default=10',
        'headrace serve --store postgres://headrace@db.example/headrace',
      )}
The first Ctrl-C (or SIGTERM) lets running jobs end for ${GRACE_MS / 1_000} s and hands the rest back unharmed; the second one ends at once.
`,
    )
    .action(async (_options, command: Command) => serve(cli, optionsOf<ServeCommandOptions>(command)))
}

async function serve(cli: Cli, options: ServeCommandOptions): Promise<void> {
  const { terminal } = cli
  const stop = stopSignal()
  const dashboardDir = await dashboardOf(cli)
  const { startServer } = await import('../serve/local-server.ts') // the whole server, which most commands do without
  const lines = liveLines(terminal)
  const server = await startServer({
    dataDir: options.data,
    host: options.host,
    port: options.port,
    queues: options.queues,
    withWorker: options.worker,
    dashboardDir,
    artifacts: options.artifacts,
    store: options.store,
    deployment: options.deployment,
    onDrained: () =>
      terminal.note('The worker here was drained: it was asked to take no more jobs. The server goes on.'),
    uploadBytesMax: options.uploadMax,
    onProgress: (_fraction, message) => lines.show([`First start: ${message}…`]),
  })
  lines.end()
  const loginUrl = isLoopback(options.host) ? await server.loginUrl() : undefined
  announce(cli, options, { server, loginUrl })
  if (server.isFirstStart && options.worker && !options.json) await showDemo(cli, server)
  if (options.open === 'yes') openInBrowser(loginUrl ?? server.url)
  const signal = await stop
  terminal.note(`${signal}: stopping. Running jobs have ${GRACE_MS / 1_000} s; again to end at once.`)
  await server.stop({ graceMs: GRACE_MS })
  terminal.note('Stopped. No job is lost; the next start goes on with them.')
}

async function dashboardOf({ terminal }: Cli): Promise<string | undefined> {
  const dashboard = await findDashboard(() => terminal.note('Building the dashboard, this once…'))
  if (dashboard.state === 'built') return dashboard.dir
  terminal.note(`There is no dashboard, only the API: ${dashboard.why}.`)
  return undefined
}

function announce(
  { terminal }: Cli,
  options: ServeCommandOptions,
  { server, loginUrl }: { readonly server: RunningServer; readonly loginUrl: string | undefined },
): void {
  const { url, dataDir } = server
  if (options.json) {
    terminal.out(JSON.stringify({ url, ...(loginUrl && { loginUrl }), dataDir, pid: process.pid, version: VERSION }))
    return
  }
  const keyHint = 'make a key with: headrace keys create --name browser --scope admin'
  terminal.out(`${terminal.paint('bold', `Headrace ${VERSION}`)} serves ${url}`)
  terminal.out(loginUrl ? `  Log in, once:  ${terminal.paint('cyan', loginUrl)}` : `  To log in, ${keyHint}`)
  terminal.out(`  Data folder:   ${dataDir}`)
  terminal.out(`  Worker:        ${options.worker ? 'in this process' : 'none here; start one with: headrace worker'}`)
  terminal.out('  Try it:        headrace demo')
}

/** At the first start there is something to see: the sample's analysis, as `headrace demo` runs it. */
async function showDemo({ terminal }: Cli, { url, key }: RunningServer): Promise<void> {
  const { id } = await submitDemo({ url, key, client: clientOf(url, key) })
  terminal.out(`  Demo job:      ${url}/app/jobs/${id}`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** Best effort: the link is on the screen as well. */
function openInBrowser(url: string): void {
  const opener = { darwin: 'open', win32: 'explorer' }[process.platform as 'darwin'] ?? 'xdg-open'
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
