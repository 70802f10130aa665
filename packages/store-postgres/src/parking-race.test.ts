import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { parseAddress } from './connection/address.ts'
import { type StatementName, statements } from './connection/named.ts'
import { Session } from './connection/session.ts'
import type { Value } from './connection/values.ts'
import { migrate } from './migrate.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const databases = await postgresForTests()
after(() => databases?.close())
const [parent, child, step, worker] = [1, 2, 1, 7]

suite('a workflow that is being parked when a step of it is released', {
  skip: databases === undefined && WITHOUT_POSTGRES,
}, () => {
  const releases: readonly (readonly [StatementName, readonly Value[]])[] = [
    ['wakeParked', [[parent], [step], 5]],
    ['settleSucceeded', [[child], [1], ['1'], worker, 5, [0]]],
  ]
  for (const [name, values] of releases) {
    test(`is waited for, and then woken by ${name}`, async () => {
      const address = parseAddress(databases?.urls[0] ?? '', `parking_${name.toLowerCase()}`)
      const parking = await Session.open(address, 'parking')
      const releasing = await Session.open(address, 'releasing')
      try {
        await migrate(parking, address)
        await parking.script(`
          insert into live (seq, state, lane, urgency, rank, due_at, is_workflow, worker, attempt)
          values (${parent}, 7, 1, 0, 0, 0, true, ${worker}, 1);
          insert into live (seq, state, lane, urgency, rank, due_at, is_workflow, worker, attempt, parent_seq, step, grouped)
          values (${child}, 7, 1, 0, 0, 0, false, ${worker}, 1, ${parent}, ${step}, 1);
          insert into steps (seq, step, kind, name, recorded_at, delivered_from, remaining)
          values (${parent}, ${step}, 'map', '', 0, 0, 1)`)
        await parking.script(`begin; update live set state = 5, worker = null, attempt = 2 where seq = ${parent}`)
        const released = releasing.run(statements[name], values)
        await untilSomebodyWaits(parking)
        await parking.script('commit')
        await released
        const [row] = await parking.script(`select state, worker, attempt from live where seq = ${parent}`)
        assert.deepEqual({ ...row }, { state: 6, worker: null, attempt: 2 })
      } finally {
        await parking.close()
        await releasing.close()
      }
    })
  }
})

/** For a lock in this database. */
async function untilSomebodyWaits(session: Session): Promise<void> {
  for (;;) {
    const [row] = await session.script(`
      select exists (
        select from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()
      ) as is_so`)
    if (row?.is_so === true) return
  }
}
