import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makePlace } from './testing/headrace.ts'

// Nobody listens on port 1.
const AWAY = 'postgres://ada:secret@127.0.0.1:1/jobs'

for (const command of ['serve', 'worker']) {
  test(`${command} on a store that cannot be reached says where, why and what to do, and ends with 6`, async () => {
    await using place = await makePlace()
    const { code, stderr } = await place.run([command, '--store', AWAY])
    assert.equal(code, 6)
    assert.match(
      stderr,
      /The store postgres:\/\/ada@127\.0\.0\.1:1\/jobs cannot be reached: nobody listens at 127\.0\.0\.1, port 1/,
    )
    assert.match(stderr, /Start PostgreSQL there/)
    assert.doesNotMatch(stderr, /secret|Jobs are safe/)
  })
}

test('the doctor names a store that cannot be reached, for people and for programs', async () => {
  await using place = await makePlace()
  const { code, stdout } = await place.run(['doctor', '--store', AWAY, '--json'])
  assert.equal(code, 1)
  const { healthy, findings } = JSON.parse(stdout)
  assert.equal(healthy, false)
  const store = findings.find(({ check }: { check: string }) => check === 'Store')
  assert.equal(store.outcome, 'fail')
  assert.match(store.detail, /nobody listens at 127\.0\.0\.1, port 1/)
  assert.doesNotMatch(stdout, /secret/)
})
