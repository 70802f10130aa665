import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, suite, test } from 'node:test'
import { type SimulatedProcess, type SimulationReport, simulate } from '@headrace/engine/testing'
import { openSqliteStore } from './sqlite-store.ts'

// SEED=8137 repeats one run; SIM_SEEDS=10000 runs so many new ones.
const SEEDS = Array.from({ length: 30 }, (_, index) => 8_101 + index)

const folder = mkdtempSync(join(tmpdir(), 'headrace-simulation-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let runs = 0

async function run(seed: number): Promise<SimulationReport> {
  const path = join(folder, `run-${++runs}.db`)
  const byNumber = new Map<number, SimulatedProcess>()
  try {
    return await simulate({
      seed,
      async open(process) {
        const liveness = ({ id }: { id: number }) => livenessOf(byNumber.get(id))
        const store = await openSqliteStore(path, { clock: process.storeClock, fsync: false, liveness })
        byNumber.set(newestProcess(path), process)
        return store
      },
    })
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  }
}

function livenessOf(process: SimulatedProcess | undefined): 'alive' | 'dead' | 'unknown' {
  if (process === undefined || process.isUnreachable) return 'unknown'
  return process.isAlive ? 'alive' : 'dead'
}

function newestProcess(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true })
  const row = db.prepare('select max(id) as id from processes').get()
  db.close()
  return Number(row?.id)
}

function check(report: SimulationReport): void {
  const again = `SEED=${report.plan.seed} node bin/node.cjs --test packages/store-sqlite/src/simulation.test.ts`
  const broken = report.broken.slice(0, 20).join('\n  ')
  assert.equal(broken, '', `${report.broken.length} promises were broken; repeat it with\n  ${again}\n  ${broken}`)
}

const chosen = process.env.SEED
const campaign = Number(process.env.SIM_SEEDS ?? 0)

suite('the simulation', () => {
  if (chosen !== undefined) {
    test(`every promise is kept with seed ${chosen}`, async () => {
      const report = await run(Number(chosen))
      console.log(JSON.stringify(report, undefined, 1))
      check(report)
    })
  } else if (campaign > 0) {
    test(`every promise is kept with ${campaign} seeds`, async () => {
      const first = Math.floor(Math.random() * 1e9)
      const failed: string[] = []
      for (let seed = first; seed < first + campaign; seed++) {
        const { broken } = await run(seed)
        if (broken.length > 0) failed.push(`SEED=${seed}: ${broken[0]} (${broken.length} in all)`)
        if ((seed - first) % 500 === 499)
          console.log(`${seed - first + 1} seeds from ${first}, ${failed.length} failed`)
      }
      assert.equal(failed.join('\n'), '')
    })
  } else {
    for (const seed of SEEDS) test(`every promise is kept with seed ${seed}`, async () => check(await run(seed)))

    test('every promise is kept with a seed that nobody has tried', async (context) => {
      const seed = Math.floor(Math.random() * 1e9)
      context.diagnostic(`SEED=${seed}`)
      check(await run(seed))
    })

    test('the same seed gives the same history', async () => {
      const [one, two] = [await run(8_137), await run(8_137)]
      assert.equal(one.hash, two.hash)
      assert.ok(one.events > 100)
      assert.notEqual((await run(8_138)).hash, one.hash)
    })
  }
})
