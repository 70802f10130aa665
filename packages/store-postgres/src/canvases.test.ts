import { after, suite } from 'node:test'
import { testCanvases } from '@headrace/engine/conformance'
import { openPostgresStore } from './postgres-store.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const databases = await postgresForTests()
after(() => databases?.close())
let schemas = 0

suite('canvases on PostgreSQL', { skip: databases === undefined && WITHOUT_POSTGRES }, () => {
  testCanvases('PostgreSQL', () => {
    const schema = `canvas_${++schemas}`
    return (clock) => openPostgresStore(databases?.urls[0] ?? '', { clock, schema })
  })
})
