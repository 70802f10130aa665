import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { after, suite, test } from 'node:test'
import { type EngineError, StoreUnreachableError, StoreUnusableError } from '@headrace/engine'
import pg from 'pg'
import { openPostgresStore } from './postgres-store.ts'
import { freePort } from './testing/installed-postgres.ts'
import { startPostgres, WITHOUT_POSTGRES } from './testing/server.ts'

const server = await startPostgres(['locked'])
after(() => server?.stop())
const { host } = new URL(server?.url ?? 'postgres://127.0.0.1:1')

async function refusal(url: string): Promise<EngineError> {
  try {
    await (await openPostgresStore(url))[Symbol.asyncDispose]()
  } catch (error) {
    assert.ok(error instanceof StoreUnreachableError || error instanceof StoreUnusableError, String(error))
    assert.doesNotMatch(error.message, /secret/)
    return error
  }
  throw new Error(`${url} was opened`)
}

async function ask(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server?.url ?? '' })
  await client.connect()
  await client.query(sql)
  await client.end()
}

/** As much of a server as is asked for its version, which it says is an old one. */
function oldServer(): Server {
  const message = (type: string, ...parts: readonly Buffer[]) => {
    const body = Buffer.concat(parts)
    const head = Buffer.alloc(5)
    head.write(type)
    head.writeInt32BE(body.length + 4, 1)
    return Buffer.concat([head, body])
  }
  const number = (value: number, bytes: 2 | 4) => {
    const buffer = Buffer.alloc(bytes)
    buffer.writeIntBE(value, 0, bytes)
    return buffer
  }
  const text = (value: string) => Buffer.from(`${value}\0`)
  const ready = message('Z', Buffer.from('I'))
  const column = [
    text('version'),
    number(0, 4),
    number(0, 2),
    number(25, 4),
    number(-1, 2),
    number(-1, 4),
    number(0, 2),
  ]
  const version = '9.6.24'
  const answer = [
    message('T', number(1, 2), ...column),
    message('D', number(1, 2), number(version.length, 4), Buffer.from(version)),
    message('C', text('SELECT 1')),
    ready,
  ]
  return createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', number(0, 4)), ready]))
      socket.on('data', (data) => void (data.toString('latin1').startsWith('Q') && socket.write(Buffer.concat(answer))))
    })
  })
}

suite('opening a store', { skip: server === undefined && WITHOUT_POSTGRES }, () => {
  test('where nobody listens, the place is named and what to do', async () => {
    const nobody = await freePort()
    const error = await refusal(`postgres://ada:secret@127.0.0.1:${nobody}/jobs`)
    assert.equal(error.code, 'store_unavailable')
    assert.match(error.message, new RegExp(`ada@127\\.0\\.0\\.1:${nobody}/jobs cannot be reached: nobody listens at`))
    assert.match(error.message, /Start PostgreSQL there, or correct the host and the port/)
  })

  test('a host that nobody knows is named', async () => {
    const error = await refusal('postgres://ada:secret@no-such-host.invalid/jobs')
    assert.equal(error.code, 'store_unavailable')
    assert.match(error.message, /no machine is known as no-such-host\.invalid/)
  })

  test('a wrong password, a missing one and an unknown user are told apart from a server that is away', async () => {
    await ask(`create role locked login password 'right'`)
    const wrong = await refusal(`postgres://locked:secret@${host}/postgres`)
    assert.equal(wrong.code, 'store_unusable')
    assert.match(wrong.message, /locked@.* cannot be used: it refused the user or the password/)
    const missing = await refusal(`postgres://locked@${host}/postgres`)
    assert.match(missing.message, /it asks for a password\. Put one into the URL/)
    const unknown = await refusal(`postgres://nobody:secret@${host}/postgres`)
    assert.match(unknown.message, /it refused the user: role "nobody" does not exist/)
  })

  test('an unknown database is named, and how to make it', async () => {
    const error = await refusal(`postgres://postgres:secret@${host}/nowhere`)
    assert.equal(error.code, 'store_unusable')
    assert.match(error.message, /nowhere cannot be used: there is no such database\. Create it with createdb/)
  })

  test('a server that takes no more connections is told apart', async () => {
    await ask('create database full_house connection limit 0')
    await ask('create role guest login')
    const error = await refusal(`postgres://guest@${host}/full_house`)
    assert.equal(error.code, 'store_unavailable')
    assert.match(error.message, /takes no more connections\. Raise its max_connections/)
  })

  test('a server that is too old is refused with its version and the one that is needed', async () => {
    const old = oldServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => old.once('listening', resolve))
    const place = old.address()
    assert.ok(place !== null && typeof place === 'object')
    const error = await refusal(`postgres://ada@127.0.0.1:${place.port}/jobs?sslmode=disable`)
    old.close()
    assert.equal(error.code, 'store_unusable')
    assert.match(error.message, /it is PostgreSQL 9\.6\.24\. Headrace needs PostgreSQL 15 or later/)
  })

  test('a user without the right to make the schema is told which right', async () => {
    await ask('create role tenant login')
    const error = await refusal(`postgres://tenant@${host}/postgres?schema=theirs`)
    assert.equal(error.code, 'store_unusable')
    assert.match(error.message, /permission denied for database postgres\. Grant CREATE/)
  })
})
