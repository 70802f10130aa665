import { after, suite } from 'node:test'
import { testSessions } from '@headrace/engine/conformance'
import { openPostgresStore } from './postgres-store.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const databases = await postgresForTests()
after(() => databases?.close())
let schemas = 0

suite('sessions of workflows on PostgreSQL', { skip: databases === undefined && WITHOUT_POSTGRES }, () => {
  testSessions('PostgreSQL', () => {
    const schema = `session_${++schemas}`
    return (clock) => openPostgresStore(databases?.urls[0] ?? '', { clock, schema })
  })
})
