import { close, fdatasync, open } from 'node:fs'
import { promisify } from 'node:util'

const openFile = promisify(open)
const flushFile = promisify(fdatasync)
const closeFile = promisify(close)

/**
 * Flushes SQLite's write-ahead log to the disk from outside the event loop. Whoever asks while a flush is under way
 * shares the next one, since the one under way may have begun before their bytes were written.
 */
export class LogFlush {
  readonly #path: string
  #file: Promise<number> | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  /** @param path the database file; its log lies beside it for as long as a connection is open */
  constructor(path: string) {
    this.#path = path
  }

  /** Resolves when everything that was committed before the call is on the disk. */
  flush(): Promise<void> {
    if (this.#running === undefined) return this.#start()
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    )
    return this.#next
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#running, this.#next])
    if (this.#file !== undefined) await closeFile(await this.#file)
  }

  #start(): Promise<void> {
    this.#next = undefined
    const running = this.#flushNow().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }

  async #flushNow(): Promise<void> {
    this.#file ??= openFile(`${this.#path}-wal`, 'r+')
    await flushFile(await this.#file)
  }
}
