import { rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Finding, fail, megabytes, ok, warn } from './finding.ts'

const NODE_MAJOR_MIN = 24
const FREE_BYTES_WARN = 1e9
const FREE_BYTES_MIN = 100e6

export function checkNode(version: string = process.versions.node): Finding {
  const major = Number(version.split('.')[0])
  if (major >= NODE_MAJOR_MIN) return ok('Node', `v${version}`)
  return fail(
    'Node',
    `v${version} is too old`,
    `Run it with Node ${NODE_MAJOR_MIN} or newer; bin/headrace.cjs finds one.`,
  )
}

/** Whether there is a data folder, and it can be written to; the checks of what is in it need both. */
export async function checkDataFolder(dataDir: string): Promise<Finding> {
  const found = await stat(dataDir).catch(() => undefined) // not there: said below
  if (!found)
    return warn('Data folder', `${dataDir} does not exist`, 'Start "headrace serve", or name another with --data.')
  if (!found.isDirectory()) return fail('Data folder', `${dataDir} is a file`, 'Name a folder with --data.')
  const probe = join(dataDir, `.doctor.${process.pid}`)
  try {
    await writeFile(probe, '')
    return ok('Data folder', `${dataDir} can be written to`)
  } catch (error) {
    const remedy = 'Give this user the right to write there, or free some space.'
    return fail('Data folder', `${dataDir} cannot be written to: ${(error as Error).message}`, remedy)
  } finally {
    await rm(probe, { force: true })
  }
}

export async function checkDisk(dataDir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(dataDir)
  const free = bavail * bsize
  const detail = `${megabytes(free)} free`
  const remedy = 'Free some space, or move the data folder: with a full disk no job is accepted.'
  if (free < FREE_BYTES_MIN) return fail('Disk', detail, remedy)
  return free < FREE_BYTES_WARN ? warn('Disk', detail, remedy) : ok('Disk', detail)
}
