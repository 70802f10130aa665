import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { postgresVersion } from './postgres/postgres-server.ts'
import { peerKinds } from './run.ts'

const run = promisify(execFile)
const postgres = await postgresVersion()
const MAIN = join(import.meta.dirname, 'main.ts')

/** Small runs: they show that each bench works and is checked, and say nothing about speed. */
const SMALL = [
  '--peers',
  'none',
  '--runs',
  '1',
  '--jobs',
  '50',
  '--children',
  '20',
  '--chains',
  '3',
  '--steps',
  '3',
  '--waiting',
  '30',
  '--json',
]

for (const [name, figure] of Object.entries({
  throughput: 'jobsPerSecond',
  latency: 'p50Ms',
  chord: 'seconds',
  chain: 'stepsPerSecond',
  waiting: 'signalledToEndPerSecond',
})) {
  test(`npm run bench -- ${name} --json prints one object with ${figure}`, async () => {
    const { stdout } = await run(process.execPath, [MAIN, name, ...SMALL])
    const report = JSON.parse(stdout)
    assert.equal(report.bench, name)
    assert.ok(report[figure] > 0, stdout)
  })
}

for (const kind of peerKinds) {
  const found = await kind.find()
  const skip = 'missing' in found ? found.missing : false
  test(`${kind.name} is measured beside Headrace: one job at a time, many at once, and a parent with children`, {
    skip,
  }, async () => {
    for (const [name, figure] of [
      ['throughput', 'jobsPerSecond'],
      ['latency', 'p50Ms'],
      ['chord', 'seconds'],
    ] as const) {
      const { stdout } = await run(process.execPath, [MAIN, name, ...SMALL, '--peers', kind.name])
      const { peers, failed } = JSON.parse(stdout)
      assert.deepEqual(failed, [])
      assert.ok(peers[0][figure] > 0 && peers[0].durability !== '', stdout)
    }
  })
}

test('the report has both stores in one object, and says what it measures on the way', async () => {
  const args = ['report', '--quick', '--only', 'latency', '--peers', 'none', '--json']
  const { stdout, stderr } = await run(process.execPath, [MAIN, ...args])
  const { measurements } = JSON.parse(stdout)
  const cells = Object.entries<{ state: string }>(measurements.latency.cells)
  assert.deepEqual(
    cells.map(([system, { state }]) => [system, state]),
    [
      ['headrace:sqlite', 'measured'],
      ['headrace:postgres', postgres === undefined ? 'absent' : 'measured'],
    ],
  )
  assert.match(stderr, /^latency 1\/1 headrace:sqlite: p50Ms/m)
})

test('recovery kills a worker and sees its jobs run in another one', async () => {
  const { stdout } = await run(process.execPath, [MAIN, 'recovery', ...SMALL, '--cap-seconds', '30'])
  const { resumed, jobs } = JSON.parse(stdout)
  assert.equal(resumed, jobs)
})

test('a bench that does not exist is named, with those that do', async () => {
  await assert.rejects(run(process.execPath, [MAIN, 'speed']), (error: Error & { code: number; stderr: string }) => {
    assert.equal(error.code, 2)
    assert.match(error.stderr, /There is no bench speed\./)
    assert.match(error.stderr, /throughput\|latency\|chord\|chain/)
    return true
  })
})
