import type { Session } from './connection/session.ts'

const SESSIONS_MAX = 3

/** A few connections for reading, opened as they are needed. */
export class Readers {
  readonly #open: () => Promise<Session>
  readonly #idle: Session[] = []
  readonly #waiting: ((session: Session | undefined) => void)[] = []
  #count = 0
  #isClosed = false

  constructor(open: () => Promise<Session>) {
    this.#open = open
  }

  async read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#take()
    try {
      return await work(session)
    } finally {
      this.#giveBack(session)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#idle.splice(0).map((session) => session.close()))
  }

  async #take(): Promise<Session> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.isOver) return idle
      this.#count--
    }
    if (this.#count >= SESSIONS_MAX) {
      const given = await new Promise<Session | undefined>((resolve) => this.#waiting.push(resolve))
      return given ?? this.#take()
    }
    this.#count++
    try {
      return await this.#open()
    } catch (error) {
      this.#count--
      this.#waiting.shift()?.(undefined)
      throw error
    }
  }

  #giveBack(session: Session): void {
    const next = this.#waiting.shift()
    if (session.isOver || this.#isClosed) {
      this.#count--
      void session.close()
      next?.(undefined)
    } else if (next !== undefined) next(session)
    else this.#idle.push(session)
  }
}
