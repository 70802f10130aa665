import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '@headrace/store-sqlite'
import { testHardships } from './testing/hardships.ts'

testHardships('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-hardships-'))
  const file = join(folder, 'jobs.db')
  return {
    open: (clock) => openSqliteStore(file, { clock, fsync: false }),
    openReal: () => openSqliteStore(file, { fsync: false }),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  }
})
