import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { testStore } from '@headrace/engine/conformance'
import { openSqliteStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-sqlite-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
testStore('the SQLite store', (clock, options = {}) =>
  openSqliteStore(join(folder, `${options.place ?? `file-${++files}`}.db`), { clock, fsync: false }),
)
