import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type CuttingProxy = AsyncDisposable & {
  readonly url: string
  /** Bytes that went from the client to the server, over all connections. */
  passedBytes(): number
  cuts(): number
}

/**
 * Passes connections on to a server on this machine, and cuts one, both ways and without a word, when it has carried so
 * many bytes towards the server.
 * @param cutAtBytes asked for each new connection
 */
export async function openCuttingProxy(port: number, cutAtBytes: () => number): Promise<CuttingProxy> {
  let passedBytes = 0
  let cuts = 0
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    const cutAt = cutAtBytes()
    let carriedBytes = 0
    const cut = () => {
      for (const socket of [client, upstream]) socket.resetAndDestroy()
    }
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open.delete(socket)
        for (const other of [client, upstream]) other.destroy()
      })
    }
    client.on('data', (chunk: Buffer) => {
      carriedBytes += chunk.byteLength
      passedBytes += chunk.byteLength
      if (carriedBytes >= cutAt) {
        cuts++
        return cut()
      }
      if (!upstream.write(chunk)) {
        client.pause()
        upstream.once('drain', () => client.resume())
      }
    })
    upstream.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as AddressInfo // sound: it listens on TCP
  return {
    url: `http://127.0.0.1:${address.port}`,
    passedBytes: () => passedBytes,
    cuts: () => cuts,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
