import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DataFolderMissingError, DataFolderUnusableError } from './errors.ts'

// <data>/headrace.db     jobs, keys and sessions
// <data>/artifacts/      files that jobs made
// <data>/uploads/       uploads that have not ended
// <data>/documents/     what is being read of documents; can be made again
// <data>/layers/         the layer catalogue
// <data>/sample/         the synthetic sample and its area
// <data>/local.json      where the server of this folder is, and a key to it; while it runs

export function storePath(folder: string): string {
  return join(resolve(folder), 'headrace.db')
}

/** For its owner only: jobs' inputs and results are in it. @throws {DataFolderUnusableError} */
export async function makeDataFolder(folder: string): Promise<string> {
  const dataDir = resolve(folder)
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
    return dataDir
  } catch (error) {
    throw new DataFolderUnusableError(dataDir, (error as Error).message, { cause: error })
  }
}

/** So that a command in the wrong place says so, rather than beginning anew there. @throws {DataFolderMissingError} */
export async function requireDataFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined) // not there: said below
  if (!found?.isDirectory()) throw new DataFolderMissingError(resolve(folder))
}
