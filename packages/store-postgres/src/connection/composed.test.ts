import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { postgresForTests, WITHOUT_POSTGRES } from '../testing/server.ts'
import { parseAddress } from './address.ts'
import { composed } from './composed.ts'
import { Session } from './session.ts'

const databases = await postgresForTests()
after(() => databases?.close())
const skip = databases === undefined && WITHOUT_POSTGRES

test('queries of more shapes than a connection keeps are answered as well, each by its own text', {
  skip,
}, async () => {
  const session = await Session.open(parseAddress(databases?.urls[0] ?? ''), 'shapes')
  try {
    for (let round = 0; round < 2; round++) {
      for (let shape = 0; shape < 400; shape++) {
        const rows = await session.run(composed(`select $1::integer as n, ${shape} as shape`), [round])
        assert.deepEqual(rows, [{ n: round, shape }])
      }
    }
    const [kept] = await session.script('select count(*)::integer as n from pg_prepared_statements')
    assert.equal(kept?.n, 300)
  } finally {
    await session.close()
  }
})
