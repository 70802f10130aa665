import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'

const NODE = join(import.meta.dirname, '../bin/node.cjs')

function cacheOf(home: string): string {
  return variable('NODE_COMPILE_CACHE', { HOME: home })
}

function variable(name: string, set: NodeJS.ProcessEnv): string {
  const { NODE_COMPILE_CACHE: _, XDG_CACHE_HOME: __, MALLOC_ARENA_MAX: ___, ...env } = process.env
  const { stdout, signal } = spawnSync(process.execPath, [NODE, '-e', `console.log(process.env.${name} ?? "none")`], {
    ...{ env: { ...env, ...set }, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' },
  })
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

suite('the heaps of the system', () => {
  test('are few, unless whoever runs it has set how many', () => {
    assert.equal(variable('MALLOC_ARENA_MAX', {}), '4')
    assert.equal(variable('MALLOC_ARENA_MAX', { MALLOC_ARENA_MAX: '2' }), '2')
  })
})
