import { Command, CommanderError } from 'commander'
import { addCommonOptions, type Cli, examples } from './cli.ts'
import { cacheCommand } from './commands/cache.ts'
import { cancelCommand } from './commands/cancel.ts'
import { demoCommand } from './commands/demo.ts'
import { deploymentsCommand } from './commands/deployments.ts'
import { doctorCommand } from './commands/doctor.ts'
import { documentsCommand } from './commands/documents.ts'
import { historyCommand } from './commands/history.ts'
import { jobCommand } from './commands/job.ts'
import { jobsCommand } from './commands/jobs.ts'
import { keysCommand } from './commands/keys.ts'
import { layersCommand } from './commands/layers.ts'
import { limitsCommand } from './commands/limits.ts'
import { logsCommand } from './commands/logs.ts'
import { modelsCommand } from './commands/models.ts'
import { processCommand } from './commands/process.ts'
import { processesCommand } from './commands/processes.ts'
import { pruneCommand } from './commands/prune.ts'
import { queuesCommand } from './commands/queues.ts'
import { redriveCommand } from './commands/redrive.ts'
import { resultCommand } from './commands/result.ts'
import { retentionCommand } from './commands/retention.ts'
import { retryCommand } from './commands/retry.ts'
import { schedulesCommand } from './commands/schedules.ts'
import { serveCommand } from './commands/serve.ts'
import { signalCommand } from './commands/signal.ts'
import { submitCommand } from './commands/submit.ts'
import { watchCommand } from './commands/watch.ts'
import { workerCommand } from './commands/worker.ts'
import { workersCommand } from './commands/workers.ts'
import { EXIT, type ExitCode, exitCodeOfError } from './exit-code.ts'
import { reportError } from './report-error.ts'
import type { Terminal } from './terminal/terminal.ts'
import { VERSION } from './version.ts'

const COMMANDS = [
  serveCommand,
  workerCommand,
  demoCommand,
  submitCommand,
  jobsCommand,
  jobCommand,
  watchCommand,
  logsCommand,
  resultCommand,
  historyCommand,
  cancelCommand,
  retryCommand,
  redriveCommand,
  signalCommand,
  processesCommand,
  processCommand,
  queuesCommand,
  workersCommand,
  deploymentsCommand,
  limitsCommand,
  schedulesCommand,
  cacheCommand,
  retentionCommand,
  pruneCommand,
  layersCommand,
  documentsCommand,
  modelsCommand,
  keysCommand,
  doctorCommand,
]

/** Runs one command line to its end, errors included, and tells how to exit. */
export async function run(args: readonly string[], terminal: Terminal, env: NodeJS.ProcessEnv): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const asJson = args.includes('--json')
  const cli: Cli = {
    terminal,
    env,
    exitWith(code) {
      exitCode = code
    },
  }
  try {
    await createProgram(cli, { asJson }).parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    const code = exitCodeOfError(error)
    if (!isTold(error, asJson)) reportError(error, code, { terminal, env, asJson })
    return code
  }
}

/** Help, and complaints about a command line, are written by commander itself; the latter not where JSON is asked for. */
function isTold(error: unknown, asJson: boolean): boolean {
  return error instanceof CommanderError && (error.exitCode === 0 || !asJson)
}

export function createProgram(cli: Cli, { asJson }: { readonly asJson: boolean }): Command {
  const program = new Command('headrace')
  addCommonOptions(program)
    .description('Durable asynchronous jobs for machine-learning and geospatial applications.')
    .version(VERSION, '-v, --version')
    .helpCommand('help [command]', 'how a command is used')
    .addHelpText(
      'after',
      examples(
        'headrace serve                                     the server, its dashboard and a worker',
        'headrace demo                                      a sample analysis, from start to result',
        'headrace submit echo message=hello --wait          one job, and its result',
        'headrace jobs --state failed                       what went wrong',
      ),
    )
  for (const create of COMMANDS) program.addCommand(create(cli))
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    settle(command, cli.terminal, asJson)
  }
  return program
}

/** Everywhere alike: errors are thrown to `run`, and one line says where help is. */
function settle(command: Command, terminal: Terminal, asJson: boolean): void {
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(`Run "${pathOf(command)} --help" for how it is used.`)
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => {
        if (!asJson) terminal.note(text.trimEnd())
      },
      outputError: (text, write) => write(text.replace(/^error: /, 'headrace: ')),
    })
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
