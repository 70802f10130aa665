import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, suite, test } from 'node:test'
import { StoreUnavailableError } from '@headrace/engine'
import { postgresForTests, WITHOUT_POSTGRES } from '../testing/server.ts'
import { parseAddress } from './address.ts'
import { statements } from './named.ts'
import { call, Session } from './session.ts'

const databases = await postgresForTests()
after(() => databases?.close())
const ANSWER_MS = 200

/** A way to the server on which, from one moment on, nothing goes through and nobody is told: as when a cable is pulled. */
async function startLink(url: string) {
  const sockets = new Set<Socket>()
  const { hostname, port } = new URL(url)
  const link = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port || 5432) })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.pipe(to)
    }
  })
  link.listen(0, '127.0.0.1')
  await once(link, 'listening')
  return {
    url: Object.assign(new URL(url), { host: `127.0.0.1:${(link.address() as AddressInfo).port}` }).href,
    silence() {
      for (const socket of sockets) socket.unpipe()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      link.close()
      await once(link, 'close')
    },
  }
}

suite('a connection on which the server fell silent', { skip: databases === undefined && WITHOUT_POSTGRES }, () => {
  const notify = call(statements.notify, 'nobody', ['{}'])
  const questions: Record<string, (session: Session) => Promise<unknown>> = {
    'a statement': (session) => session.pipeline([notify]),
    'a script': (session) => session.script('select 1'),
  }
  for (const [what, ask] of Object.entries(questions)) {
    test(`is given up, and ${what} is told so`, async () => {
      await using link = await startLink(databases?.urls[0] ?? '')
      const session = await Session.open(parseAddress(link.url), 'test', { answerMs: ANSWER_MS })
      let isTold = false
      session.onEnd = () => {
        isTold = true
      }
      await session.pipeline([notify])
      link.silence()
      await assert.rejects(ask(session), StoreUnavailableError)
      assert.ok(session.isOver)
      assert.ok(isTold)
    })
  }

  test('is given up while what nobody waits for is still on its way', async () => {
    await using link = await startLink(databases?.urls[0] ?? '')
    const session = await Session.open(parseAddress(link.url), 'test', { answerMs: ANSWER_MS })
    const slow = call({ name: 'slow', text: 'select pg_sleep(60)' })
    await session.pipeline([notify], [slow])
    await assert.rejects(session.pipeline([notify]), StoreUnavailableError)
    assert.ok(session.isOver)
  })
})
