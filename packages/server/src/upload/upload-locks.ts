import { ERRORS, type Lock, type Locker, type RequestRelease } from '@tus/server'

const WAIT_MS = 30_000

type Held = { readonly requestRelease: RequestRelease; readonly waiting: (() => void)[] }

/**
 * One request at a time for each upload. Who comes asks the holder to let go: a client that lost its connection resumes
 * while the server still waits for bytes on the old one. The library's own lock does the same, but looks in every turn of
 * the event loop whether it is free.
 */
export class UploadLocks implements Locker {
  readonly #held = new Map<string, Held>()

  newLock(id: string): Lock {
    return {
      lock: (signal, requestRelease) => this.#lock(id, signal, requestRelease),
      unlock: async () => this.#unlock(id),
    }
  }

  async #lock(id: string, signal: AbortSignal, requestRelease: RequestRelease): Promise<void> {
    while (this.#held.has(id)) await this.#turn(id, signal)
    this.#held.set(id, { requestRelease, waiting: [] })
  }

  /** Resolves when the holder of now has let go; of several who wait, the first to look again gets it. */
  async #turn(id: string, signal: AbortSignal): Promise<void> {
    const held = this.#held.get(id)
    if (!held) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const refuse = () => reject(ERRORS.ERR_LOCK_TIMEOUT)
    const timer = setTimeout(refuse, WAIT_MS)
    signal.addEventListener('abort', refuse, { once: true })
    held.waiting.push(resolve)
    await held.requestRelease()
    try {
      await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', refuse)
    }
  }

  #unlock(id: string): void {
    const held = this.#held.get(id)
    this.#held.delete(id)
    for (const resolve of held?.waiting ?? []) resolve()
  }
}
