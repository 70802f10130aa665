import { after, suite } from 'node:test'
import { testHardships } from '@headrace/engine/conformance'
import { openPostgresStore } from './postgres-store.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const server = await postgresForTests()
after(() => server?.close())
let places = 0

suite('hardships on PostgreSQL', { skip: server === undefined && WITHOUT_POSTGRES }, () => {
  testHardships('PostgreSQL', async () => {
    const url = server?.urls[0] ?? ''
    const schema = `hardship_${++places}`
    return {
      open: (clock) => openPostgresStore(url, { clock, schema }),
      openReal: () => openPostgresStore(url, { schema }),
      close: async () => {},
    }
  })
})
