import { stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import type { Diagnosis } from '@headrace/store-postgres/diagnose'
import { type Finding, fail, megabytes, ok, warn } from './finding.ts'

/** `HdRc`, as store-sqlite marks its files. */
const APPLICATION_ID = 0x48_64_52_63
const WAL_BYTES_WARN = 256e6
const EMPTY_BYTES_WARN = 100e6

/** The database, opened only to read: that it is ours, and that SQLite finds nothing wrong with it. */
export async function checkStore(path: string): Promise<readonly Finding[]> {
  const found = await stat(path).catch(() => undefined) // not there: said below
  if (!found) return [warn('Store', `${path} does not exist`, 'The first "headrace serve" makes it.')]
  return [...readDatabase(path, found.size), await checkLog(path)]
}

function readDatabase(path: string, sizeBytes: number): readonly Finding[] {
  try {
    using db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    const id = Number(db.prepare('pragma application_id').get()?.application_id)
    if (id !== APPLICATION_ID)
      return [fail('Store', `${path} is another program's database`, 'Name another data folder.')]
    const said = String(db.prepare('pragma quick_check(1)').get()?.quick_check)
    if (said !== 'ok')
      return [fail('Store', `${path} is damaged: ${said}`, 'Stop all of Headrace, keep a copy, and restore a backup.')]
    return [ok('Store', `${path} is whole, ${megabytes(sizeBytes)}`), checkEmptyPages(db, path, sizeBytes)]
  } catch (error) {
    const remedy = 'Stop all of Headrace, keep a copy, and restore a backup; or name another data folder.'
    return [fail('Store', `${path} cannot be read: ${(error as Error).message}`, remedy)]
  }
}

/** A file does not shrink by itself; its empty pages are used again, so only a file that is mostly empty is worth a word. */
function checkEmptyPages(db: DatabaseSync, path: string, sizeBytes: number): Finding {
  const count = (name: string) => Number(db.prepare(`pragma ${name}`).get()?.[name])
  const emptyBytes = (sizeBytes * count('freelist_count')) / Math.max(1, count('page_count'))
  const detail = `${megabytes(emptyBytes)} of it are empty`
  if (emptyBytes < EMPTY_BYTES_WARN || emptyBytes < sizeBytes / 2) return ok('Store space', detail)
  return warn('Store space', detail, `To give it back, stop all of Headrace and run: sqlite3 ${path} vacuum`)
}

const SUBJECTS: Readonly<Record<Diagnosis['subject'], string>> = {
  store: 'Store',
  bloat: 'Dead rows',
  vacuum: 'Vacuum',
  listeners: 'Listeners',
  clock: 'Clock',
  durability: 'Durability',
  connections: 'Connections',
}

/** What the server of a PostgreSQL store suffers from, if anything. */
export async function checkPostgres(url: string): Promise<readonly Finding[]> {
  const { diagnosePostgres } = await import('@headrace/store-postgres/diagnose') // with its driver, so only when needed
  const found = await diagnosePostgres(url)
  return found.map(({ subject, ...finding }) => ({ check: SUBJECTS[subject], ...finding }))
}

async function checkLog(path: string): Promise<Finding> {
  const sizeBytes = (await stat(`${path}-wal`).catch(() => undefined))?.size ?? 0 // not there: nothing is open
  const detail = `its log has ${megabytes(sizeBytes)}`
  if (sizeBytes < WAL_BYTES_WARN) return ok('Store log', detail)
  return warn('Store log', detail, 'A reader holds it open for long. Restart what uses the data folder.')
}
