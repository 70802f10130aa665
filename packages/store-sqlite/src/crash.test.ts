import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { testCrashes } from '@headrace/engine/conformance'
import { openSqliteStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-crash-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

testCrashes('a SQLite file', {
  program: new URL('./testing/crash-process.ts', import.meta.url),
  makeAddress: () => join(folder, `crash-${++files}.db`),
  open: openSqliteStore,
})
