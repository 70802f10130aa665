import { createSocket, type Socket } from 'node:dgram'
import type { Hint } from '@headrace/engine'

/** Larger hints are sent as "look at everything": a datagram on the loopback carries 64 KiB at most. */
const DATAGRAM_BYTES_MAX = 8_000

/**
 * Wakes the other processes on this machine that share the file, with datagrams on the loopback interface. They carry
 * hints, which may be lost, repeated or forged: all they can do is make somebody look at the store.
 */
export class WakeUp {
  readonly #socket: Socket
  readonly #onHint: (hint: Hint) => void
  #port = 0

  constructor(onHint: (hint: Hint) => void) {
    this.#onHint = onHint
    // The one address is no name, so there is nothing to look up, and the datagram leaves at once.
    this.#socket = createSocket({ type: 'udp4', lookup: (address, _, answer) => answer(null, address, 4) })
    this.#socket.on('message', (bytes) => this.#receive(bytes))
    // Without wake-ups everything still runs, by looking now and then.
    this.#socket.on('error', () => {})
    this.#socket.unref()
  }

  get port(): number {
    return this.#port
  }

  /** Resolves when it can receive, or has found that it cannot. */
  open(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('error', () => resolve())
      this.#socket.bind({ address: '127.0.0.1', port: 0, exclusive: true }, () => {
        this.#port = this.#socket.address().port
        resolve()
      })
    })
  }

  send(hint: Hint, ports: readonly number[]): void {
    if (this.#port === 0 || ports.length === 0) return
    let text = JSON.stringify(hint)
    if (text.length > DATAGRAM_BYTES_MAX) text = '{"all":true}'
    const bytes = Buffer.from(text)
    for (const port of ports) this.#socket.send(bytes, port, '127.0.0.1', ignoreLoss)
  }

  close(): void {
    this.#port = 0
    this.#socket.close()
  }

  #receive(bytes: Buffer): void {
    let hint: unknown
    try {
      hint = JSON.parse(bytes.toString())
    } catch {
      // Not from us.
      return
    }
    if (typeof hint === 'object' && hint !== null) this.#onHint(sanitise(hint as Record<string, unknown>))
  }
}

function ignoreLoss(): void {}

function sanitise(hint: Record<string, unknown>): Hint {
  const strings = (value: unknown) =>
    Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined
  const [queues, ended, released, cancelled] = [hint.queues, hint.ended, hint.released, hint.cancelled].map(strings)
  // Ids from a datagram are only ever compared with ids that are known.
  return {
    ...(queues && { queues }),
    ...(ended && { ended }),
    ...(released && { released }),
    ...(cancelled && { cancelled }),
    ...(typeof hint.dueAt === 'number' && { dueAt: hint.dueAt }),
    ...(hint.events === true && { events: true }),
    ...(hint.all === true && { all: true }),
  } as unknown as Hint
}
