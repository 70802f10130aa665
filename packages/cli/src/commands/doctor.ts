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
} from '../cli.ts'
import { checkArtifacts, checkArtifactsUrl, checkLayers } from '../doctor/check-files.ts'
import { checkDataFolder, checkDisk, checkNode } from '../doctor/check-machine.ts'
import { checkLocalFile, checkServer } from '../doctor/check-server.ts'
import { checkStore } from '../doctor/check-store.ts'
import type { Finding } from '../doctor/finding.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine } from '../terminal/printable.ts'
import type { Style, Terminal } from '../terminal/terminal.ts'

/** `headrace doctor` */
export function doctorCommand(cli: Cli): Command {
  return new Command('doctor')
    .description('check this machine, the data folder and the server, and say what to do')
    .addOption(artifactsOption())
    .addHelpText(
      'after',
      `${examples('headrace doctor', 'headrace doctor --data /var/lib/headrace --json')}
Exits with 1 when a check failed; a warning alone is no failure. Nothing is changed.
`,
    )
    .action(async (_options, command: Command) => {
      const options = optionsOf<ArtifactsOptions>(command)
      const findings = await examine(options, cli.env)
      const healthy = findings.every(({ outcome }) => outcome !== 'fail')
      present(cli, options, { healthy, findings }, () => findings.map((one) => lineOf(cli.terminal, one)).join('\n'))
      cli.exitWith(healthy ? EXIT.ok : EXIT.failed)
    })
}

async function examine(options: CommonOptions & ArtifactsOptions, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const dataDir = resolve(options.data)
  const folder = await checkDataFolder(dataDir)
  const inside = folder.outcome === 'ok' ? await examineFolder(dataDir, options) : []
  return [checkNode(), folder, ...inside, ...(await checkServer(options, env))]
}

async function examineFolder(dataDir: string, { artifacts }: ArtifactsOptions): Promise<readonly Finding[]> {
  return [
    await checkDisk(dataDir),
    ...(await checkStore(dataDir)),
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
