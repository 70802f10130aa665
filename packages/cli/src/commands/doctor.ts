import { resolve } from 'node:path'
import { Command } from 'commander'
import {
  type ArtifactsOptions,
  artifactsOption,
  type Cli,
  type CommonOptions,
  examples,
  optionsOf,
  present,
  type StoreOptions,
  storeOption,
} from '../cli.ts'
import { checkArtifacts, checkArtifactsUrl, checkLayers, checkTrainedData } from '../doctor/check-files.ts'
import { checkDataFolder, checkDisk, checkNode } from '../doctor/check-machine.ts'
import { checkLocalFile, checkServer } from '../doctor/check-server.ts'
import { checkPostgres, checkStore } from '../doctor/check-store.ts'
import type { Finding } from '../doctor/finding.ts'
import { EXIT } from '../exit-code.ts'
import { isPostgresUrl, sqlitePath } from '../open-store.ts'
import { oneLine } from '../terminal/printable.ts'
import type { Style, Terminal } from '../terminal/terminal.ts'

type DoctorOptions = CommonOptions & ArtifactsOptions & StoreOptions

/** `headrace doctor` */
export function doctorCommand(cli: Cli): Command {
  return new Command('doctor')
    .description('check this machine, the store and the server, and say what to do')
    .addOption(artifactsOption())
    .addOption(storeOption())
    .addHelpText(
      'after',
      `${examples(
        'headrace doctor',
        'headrace doctor --data /var/lib/headrace --json',
        'headrace doctor --store postgres://headrace@db.example/headrace',
      )}
Exits with 1 when a check failed; a warning alone is no failure. Nothing is changed.
`,
    )
    .action(async (_options, command: Command) => {
      const options = optionsOf<DoctorOptions>(command)
      const findings = await examine(options, cli.env)
      const healthy = findings.every(({ outcome }) => outcome !== 'fail')
      present(cli, options, { healthy, findings }, () => findings.map((one) => lineOf(cli.terminal, one)).join('\n'))
      cli.exitWith(healthy ? EXIT.ok : EXIT.failed)
    })
}

async function examine(options: DoctorOptions, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const dataDir = resolve(options.data)
  const folder = await checkDataFolder(dataDir)
  const inside = folder.outcome === 'ok' ? await examineFolder(dataDir, options) : []
  const { store } = options
  const database = isPostgresUrl(store) ? await checkPostgres(store) : []
  const data = await checkTrainedData(env.HEADRACE_TESSDATA)
  return [checkNode(), folder, ...inside, data, ...database, ...(await checkServer(options, env))]
}

async function examineFolder(dataDir: string, { artifacts, store }: DoctorOptions): Promise<readonly Finding[]> {
  return [
    await checkDisk(dataDir),
    ...(isPostgresUrl(store) ? [] : await checkStore(sqlitePath(dataDir, store))),
    artifacts === undefined ? await checkArtifacts(dataDir) : await checkArtifactsUrl(artifacts),
    await checkLayers(dataDir),
    ...(await checkLocalFile(dataDir)),
  ]
}

const STYLES: Readonly<Record<Finding['outcome'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' }

function lineOf(terminal: Terminal, { check, outcome, detail, remedy }: Finding): string {
  const head = `${terminal.paint(STYLES[outcome], outcome.padEnd(4))}  ${check.padEnd(12)} ${oneLine(detail)}`
  return remedy === undefined ? head : `${head}\n${' '.repeat(19)}→ ${remedy}`
}
