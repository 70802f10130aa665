import { type Command, Option } from 'commander'
import { type Connection, connect, type ServerChoice } from './connection/connect.ts'
import type { ExitCode } from './exit-code.ts'
import type { Terminal } from './terminal/terminal.ts'

/** What every command is given besides its own arguments. */
export interface Cli {
  readonly terminal: Terminal
  readonly env: NodeJS.ProcessEnv
  /** How the command ends, when it ends without an error. */
  exitWith(code: ExitCode): void
}

/** The options that every command takes. */
export type CommonOptions = ServerChoice & { readonly json?: boolean }

export const DATA_DIR = './.headrace'

export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'write JSON on stdout, and errors as JSON on stderr')
    .option('--url <url>', 'the server; else HEADRACE_URL, else the one on this machine')
    .option('--key <key>', 'the API key; else HEADRACE_KEY, else the local server’s own')
    .addOption(new Option('--data <folder>', 'the data folder').env('HEADRACE_DATA').default(DATA_DIR))
}

/** For every command that opens the artifacts itself. */
export type ArtifactsOptions = { readonly artifacts?: string }

export function artifactsOption(): Option {
  const text = 'where artifacts lie: a folder, or s3://bucket/prefix?endpoint=…; the data folder when left out'
  return new Option('--artifacts <url>', text).env('HEADRACE_ARTIFACTS')
}

/** For every command that opens the store itself. */
export type StoreOptions = { readonly store?: string }

export function storeOption(): Option {
  const text = 'where jobs are kept: postgres://user:password@host/database; a file in the data folder when left out'
  return new Option('--store <url>', text).env('HEADRACE_STORE')
}

/** For every command that starts a worker. */
export function deploymentOption(): Option {
  const text = 'the stack that it belongs to, such as blue: it takes jobs of no other'
  return new Option('--deployment <name>', text).env('HEADRACE_DEPLOYMENT')
}

/** The options of a command, with those that were given before its name. */
export function optionsOf<Options extends object>(command: Command): CommonOptions & Options {
  return command.optsWithGlobals<CommonOptions & Options>()
}

export function connectAs(cli: Cli, options: CommonOptions): Promise<Connection> {
  return connect(options, cli.env)
}

/** A command's result: as JSON when asked for, else as text. */
export function present<T>(cli: Cli, options: CommonOptions, value: T, toText: (value: T) => string): void {
  cli.terminal.out(options.json ? JSON.stringify(value, null, 2) : toText(value))
}

/** The end of a command's help: lines that can be copied. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`
}
