import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { describeFailure, mirrored, type SimulationReport, shrinkReport, simulate } from '@headrace/engine/testing'
import { simulatedMemory } from '@headrace/store-memory/testing'
import { SimulatedSqlite } from './testing/simulated-sqlite.ts'

// Many more, and any one again: npm run simulate.
const SEEDS = Array.from({ length: 30 }, (_, index) => 8_101 + index)

const files = new SimulatedSqlite()
after(() => files[Symbol.dispose]())

const stores = {
  sqlite: () => files.open(),
  memory: simulatedMemory,
  both: () => mirrored(files.open(), simulatedMemory()),
} as const

async function check(report: SimulationReport, store: keyof typeof stores): Promise<void> {
  if (report.broken.length === 0) return
  const shrunk = await shrinkReport(report, stores[store])
  assert.fail(describeFailure(report, store, shrunk))
}

suite('the simulation', () => {
  for (const seed of SEEDS) {
    test(`SQLite keeps every promise and answers as the memory store does, call by call, with seed ${seed}`, async () => {
      const onSqlite = await simulate({ seed, open: stores.both() })
      await check(onSqlite, 'both')
      // By itself, where calls take another time, the memory store comes to the same ends as far as they are determined.
      const inMemory = await simulate({ seed, open: stores.memory() })
      await check(inMemory, 'memory')
      let compared = 0
      for (const [key, outcome] of Object.entries(onSqlite.outcomes)) {
        if (inMemory.outcomes[key] === undefined) continue
        assert.equal(inMemory.outcomes[key], outcome, `${key} of seed ${seed}`)
        compared++
      }
      assert.ok(compared > 0 || Object.keys(onSqlite.outcomes).length === 0)
    })
  }

  test('every promise is kept with a seed that nobody has tried', async (context) => {
    const seed = Math.floor(Math.random() * 1e9)
    context.diagnostic(`npm run simulate -- --store sqlite --from ${seed} --seeds 1`)
    await check(await simulate({ seed, open: stores.sqlite() }), 'sqlite')
  })

  test('the same seed gives the same history, and so does its plan', async () => {
    const one = await simulate({ seed: 8_137, open: stores.sqlite() })
    const two = await simulate({ plan: JSON.parse(JSON.stringify(one.plan)), open: stores.sqlite() })
    assert.equal(one.hash, two.hash)
    assert.ok(one.events > 100)
    assert.notEqual((await simulate({ seed: 8_138, open: stores.sqlite() })).hash, one.hash)
  })
})
