import type { ExitCode } from './exit-code.ts'

/** What the command itself says no to. `code` is for programs and never changes; `message` is for people. */
export abstract class CliError extends Error {
  abstract readonly code: string
  abstract readonly exitCode: ExitCode
}

/** An argument or option that cannot be meant. */
export class UsageError extends CliError {
  override readonly name = 'UsageError'
  readonly code = 'usage'
  readonly exitCode = 2
}

export class ServerUnknownError extends CliError {
  override readonly name = 'ServerUnknownError'
  readonly code = 'server_unknown'
  readonly exitCode = 6
  constructor(dataDir: string) {
    super(
      `No server is known: none runs on ${dataDir}. Start one with "headrace serve", or name one with --url or HEADRACE_URL.`,
    )
  }
}

export class StoreUrlError extends CliError {
  override readonly name = 'StoreUrlError'
  readonly code = 'store_url_unknown'
  readonly exitCode = 2
  constructor(scheme: string) {
    super(
      `No store is known for ${scheme}. Write --store postgres://user:password@host/database, or the path of a file.`,
    )
  }
}

export class PortBusyError extends CliError {
  override readonly name = 'PortBusyError'
  readonly code = 'port_busy'
  readonly exitCode = 2
  constructor(host: string, port: number, options: { cause: unknown }) {
    super(
      `Port ${port} of ${host} is taken by another program. Choose another, such as --port ${port < 65_535 ? port + 1 : port - 1}, or any free one with --port 0.`,
      options,
    )
  }
}

export class ListenError extends CliError {
  override readonly name = 'ListenError'
  readonly code = 'cannot_listen'
  readonly exitCode = 2
  constructor(host: string, port: number, why: string, options: { cause: unknown }) {
    super(`The server cannot listen on ${host}, port ${port}: ${why}. Choose another with --host and --port.`, options)
  }
}

export class DataFolderMissingError extends CliError {
  override readonly name = 'DataFolderMissingError'
  readonly code = 'data_folder_missing'
  readonly exitCode = 3
  constructor(dataDir: string) {
    super(`There is no data folder ${dataDir}. Name it with --data, or make it with "headrace serve".`)
  }
}

export class DataFolderUnusableError extends CliError {
  override readonly name = 'DataFolderUnusableError'
  readonly code = 'data_folder_unusable'
  readonly exitCode = 2
  constructor(dataDir: string, why: string, options: { cause: unknown }) {
    super(`The data folder ${dataDir} cannot be used: ${why}. Name another with --data.`, options)
  }
}

export class KeyUnknownError extends CliError {
  override readonly name = 'KeyUnknownError'
  readonly code = 'unknown_key'
  readonly exitCode = 3
  constructor(id: string) {
    super(`There is no key ${id}. "headrace keys list" shows the ids.`)
  }
}

export class SampleMissingError extends CliError {
  override readonly name = 'SampleMissingError'
  readonly code = 'sample_missing'
  readonly exitCode = 3
  constructor(url: string) {
    super(`The server ${url} has no sample area to analyse. Start one with its sample: "headrace serve".`)
  }
}
