import type { LogLine } from '@headrace/wire'
import { Command, Option } from 'commander'
import { type Cli, connectAs, examples, optionsOf } from '../cli.ts'
import { printable } from '../terminal/printable.ts'
import type { Style, Terminal } from '../terminal/terminal.ts'

type LogsOptions = {
  readonly follow?: boolean
  readonly level?: LogLine['level']
  readonly grep?: string
  readonly tree?: boolean
}

const LEVELS: readonly LogLine['level'][] = ['debug', 'info', 'warn', 'error']
const STYLES: Readonly<Record<LogLine['level'], Style | undefined>> = {
  debug: 'dim',
  info: undefined,
  warn: 'yellow',
  error: 'red',
}

/** `headrace logs <id>` */
export function logsCommand(cli: Cli): Command {
  return new Command('logs')
    .description('print what a job logged, all of it')
    .argument('<id>', 'the job')
    .option('-f, --follow', 'go on until the job ends')
    .addOption(new Option('--level <level>', 'this level and the graver ones').choices(LEVELS))
    .option('--grep <text>', 'only lines that contain this')
    .option('--tree', 'also the logs of all jobs that it called')
    .addHelpText(
      'after',
      examples(
        'headrace logs 0198c2f0-… -f',
        'headrace logs 0198c2f0-… --tree --level warn',
        'headrace logs 0198c2f0-… --json > log.jsonl        one JSON object a line',
      ),
    )
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf<LogsOptions>(command)
      const { client } = await connectAs(cli, options)
      const { follow, level, grep, tree } = options
      for await (const line of client.job(id).logs({ follow, level, contains: grep, tree })) {
        cli.terminal.out(options.json ? JSON.stringify(line) : lineText(cli.terminal, line, { withJob: tree ?? false }))
      }
    })
}

function lineText(terminal: Terminal, line: LogLine, shown: { readonly withJob: boolean }): string {
  const job = shown.withJob ? `${line.jobId.slice(-8)} ` : ''
  const text = `${line.level.padEnd(5)} ${printable(line.message)}`
  const style = STYLES[line.level]
  return `${terminal.paint('dim', `${line.at} ${job}`)}${style ? terminal.paint(style, text) : text}`
}
