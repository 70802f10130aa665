import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import type { WorkerId } from '@headrace/engine'
import { openPostgresStore } from './postgres-store.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const databases = await postgresForTests()
after(() => databases?.close())

/** A way to the server that can be cut, and lets through again. */
class Gate implements AsyncDisposable {
  readonly #sockets = new Set<Socket>()
  readonly #server
  #isCut = false
  #refused: (() => void) | undefined

  constructor(to: URL) {
    this.#server = createServer((socket) => {
      if (this.#isCut) {
        socket.destroy()
        this.#refused?.()
        return
      }
      const onward = connect(Number(to.port), to.hostname)
      for (const one of [socket, onward]) {
        this.#sockets.add(one)
        one.on('error', () => {})
        one.on('close', () => this.#sockets.delete(one))
      }
      socket.pipe(onward).pipe(socket)
    })
  }

  async open(url: URL): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const place = this.#server.address()
    assert.ok(place !== null && typeof place === 'object')
    return Object.assign(new URL(url), { host: `127.0.0.1:${place.port}` }).href
  }

  /** Resolves when so many have tried in vain to come back. */
  async cut(tries: number): Promise<void> {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
    for (let tried = 0; tried < tries; tried++) {
      await new Promise<void>((resolve) => {
        this.#refused = resolve
      })
    }
  }

  mend(): void {
    this.#isCut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

test('a store that is closed while its connections come back comes to its end', {
  skip: databases === undefined && WITHOUT_POSTGRES,
}, async () => {
  const url = new URL(databases?.urls[0] ?? '')
  await using gate = new Gate(url)
  const store = await openPostgresStore(await gate.open(url))
  const id = crypto.randomUUID() as WorkerId
  await store.addWorker({ id, name: 'ada', queues: { tiles: 1 }, leaseMs: 60_000 }, () => {})
  // By then each of those that come back waits for its next try.
  await gate.cut(8)
  gate.mend()
  await store[Symbol.asyncDispose]()
})
