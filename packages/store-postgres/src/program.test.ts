import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const databases = await postgresForTests()
after(() => databases?.close())

test('a program that opens the store, runs a job and closes it again comes to its end by itself', {
  skip: databases === undefined && WITHOUT_POSTGRES,
}, async () => {
  const program = join(import.meta.dirname, 'testing/one-job.ts')
  // Nothing else keeps this process alive, as something always does in a test's own.
  const args = [program, databases?.urls[0] ?? '']
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 })
  assert.equal(stdout, '42\nclosed\n')
})
