import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'

const NODE = join(import.meta.dirname, '../bin/node.cjs')

function cacheOf(home: string): string {
  const { NODE_COMPILE_CACHE: _, XDG_CACHE_HOME: __, ...env } = process.env
  const { stdout, signal } = spawnSync(
    process.execPath,
    [NODE, '-e', 'console.log(process.env.NODE_COMPILE_CACHE ?? "none")'],
    { env: { ...env, HOME: home }, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' },
  )
  assert.equal(signal, null, 'it did not end')
  return stdout.trim()
}

suite('what Node compiled', () => {
  test('is kept in the cache of whoever runs it', () => {
    const home = mkdtempSync(join(tmpdir(), 'headrace-home-'))
    try {
      const cache = cacheOf(home)
      assert.equal(cache, join(home, '.cache/headrace/compiled'))
      assert.ok(existsSync(cache))
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })

  test('is not kept where no folder can be made, and nothing hangs', { skip: !existsSync('/proc/self') }, () => {
    assert.equal(cacheOf('/proc'), 'none')
  })
})
