import { stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { storePath } from '../data-folder.ts'
import { type Finding, fail, megabytes, ok, warn } from './finding.ts'

/** `HdRc`, as store-sqlite marks its files. */
const APPLICATION_ID = 0x48_64_52_63
const WAL_BYTES_WARN = 256e6

/** The database, opened only to read: that it is ours, and that SQLite finds nothing wrong with it. */
export async function checkStore(dataDir: string): Promise<readonly Finding[]> {
  const path = storePath(dataDir)
  const found = await stat(path).catch(() => undefined) // not there: said below
  if (!found) return [warn('Store', `${path} does not exist`, 'The first "headrace serve" makes it.')]
  return [readDatabase(path, found.size), await checkLog(path)]
}

function readDatabase(path: string, sizeBytes: number): Finding {
  try {
    using db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    const id = Number(db.prepare('pragma application_id').get()?.application_id)
    if (id !== APPLICATION_ID)
      return fail('Store', `${path} is another program's database`, 'Name another data folder.')
    const said = String(db.prepare('pragma quick_check(1)').get()?.quick_check)
    if (said === 'ok') return ok('Store', `${path} is whole, ${megabytes(sizeBytes)}`)
    return fail('Store', `${path} is damaged: ${said}`, 'Stop all of Headrace, keep a copy, and restore a backup.')
  } catch (error) {
    const remedy = 'Stop all of Headrace, keep a copy, and restore a backup; or name another data folder.'
    return fail('Store', `${path} cannot be read: ${(error as Error).message}`, remedy)
  }
}

async function checkLog(path: string): Promise<Finding> {
  const sizeBytes = (await stat(`${path}-wal`).catch(() => undefined))?.size ?? 0 // not there: nothing is open
  const detail = `its log has ${megabytes(sizeBytes)}`
  if (sizeBytes < WAL_BYTES_WARN) return ok('Store log', detail)
  return warn('Store log', detail, 'A reader holds it open for long. Restart what uses the data folder.')
}
