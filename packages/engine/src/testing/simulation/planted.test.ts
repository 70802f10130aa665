import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MemoryPlace, openMemoryStore } from '@headrace/store-memory'
import type { Store } from '../../store/store.ts'
import { type OpenSimulated, simulate } from '../simulation.ts'
import { describePlan } from './describe-plan.ts'
import { ruleOf, shrinkReport } from './find-bug.ts'
import { type PlantedBug, plantedBugs } from './planted.ts'

/** Which of the rules notices which bug. */
const NOTICED_BY: Readonly<Record<PlantedBug, string>> = {
  'ignores-fence': 'late-worker-changes-nothing',
  'loses-accepted': 'nothing-lost',
  'releases-twice': 'barrier-once',
  'exceeds-limit': 'limit-kept',
  'forgets-step': 'recorded-step-stays',
  'gives-out-twice': 'one-owner',
  'parts-session': 'session-kept',
}

function openWith(plant: (store: Store) => Store): OpenSimulated {
  const place = new MemoryPlace()
  return async (process) =>
    plant(
      openMemoryStore({ clock: process.storeClock, place, isDead: () => !process.isAlive && !process.isUnreachable }),
    )
}

const SEEDS_MAX = 60

suite('the simulation finds and shrinks', () => {
  for (const bug of Object.keys(plantedBugs) as PlantedBug[]) {
    test(`a store that ${bug.replaceAll('-', ' ')}`, async () => {
      const open = () => openWith(plantedBugs[bug]())
      const rule = NOTICED_BY[bug]
      const found = await firstBroken(open, rule)
      const { plan } = await shrinkReport(found, open, { rule })
      const shrunk = describePlan(plan)
      assert.ok(plan.submissions.length <= 2, shrunk)
      assert.ok(plan.harms.length <= 3, shrunk)
      const again = await simulate({ plan, open: open() })
      assert.ok(again.broken.map(ruleOf).includes(rule), shrunk)
      assert.deepEqual((await simulate({ plan, open: openWith((store) => store) })).broken, [], shrunk)
    })
  }
})

async function firstBroken(open: () => OpenSimulated, rule: string) {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const report = await simulate({ seed, open: open() })
    if (report.broken.map(ruleOf).includes(rule)) return report
  }
  return assert.fail(`${SEEDS_MAX} seeds broke no rule ${rule}`)
}
