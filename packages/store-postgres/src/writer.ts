import { type Enqueued, type NewJob, StoreUnavailableError } from '@headrace/engine'
import type { Address } from './connection/address.ts'
import { tryAgain } from './connection/errors.ts'
import type { Session } from './connection/session.ts'

type Operation = { run(session: Session): Promise<void>; refuse(error: unknown): void }
type Enqueueing = {
  readonly jobs: readonly NewJob[]
  readonly resolve: (enqueued: readonly Enqueued[]) => void
  readonly reject: (error: unknown) => void
}

export type EnqueueAll = (session: Session, jobs: readonly NewJob[]) => Promise<readonly Enqueued[]>

/**
 * One connection, and those who wait for it, in their order. Jobs that are enqueued while it is busy are stored together
 * when it is free: one statement and one flush to the disk for all of them. It is opened at its first use, and again
 * after it was lost.
 */
export class Writer {
  readonly #address: Address
  readonly #open: () => Promise<Session>
  readonly #enqueueAll: EnqueueAll
  readonly #waiting: Operation[] = []
  #enqueueing: Enqueueing[] = []
  #session: Session | undefined
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(address: Address, open: () => Promise<Session>, enqueueAll: EnqueueAll) {
    this.#address = address
    this.#open = open
    this.#enqueueAll = enqueueAll
  }

  /** Begins with a connection that was made for something else. */
  adopt(session: Session): void {
    this.#session = session
  }

  run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#add({ run: async (session) => resolve(await tryAgain(() => work(session))), refuse: reject })
    })
  }

  enqueue(jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
    return new Promise((resolve, reject) => {
      this.#enqueueing.push({ jobs, resolve, reject })
      if (this.#enqueueing.length === 1) {
        const refuse = (error: unknown) => {
          for (const one of this.#enqueueing.splice(0)) one.reject(error)
        }
        this.#add({ run: (session) => this.#enqueueTogether(session), refuse })
      }
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
    await this.#session?.close()
  }

  #add(operation: Operation): void {
    if (this.#isClosed) {
      operation.refuse(new StoreUnavailableError(this.#address.shown, 0, { cause: new Error('the store was closed') }))
      return
    }
    this.#waiting.push(operation)
    this.#running ??= this.#work()
  }

  async #work(): Promise<void> {
    // Those who ask in this same turn are served together.
    await Promise.resolve()
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        if (this.#session === undefined || this.#session.isOver) this.#session = await this.#open()
        await next.run(this.#session)
      } catch (error) {
        next.refuse(error)
      }
    }
    this.#running = undefined
  }

  async #enqueueTogether(session: Session): Promise<void> {
    const group = this.#enqueueing
    this.#enqueueing = []
    try {
      const enqueued = await tryAgain(() =>
        this.#enqueueAll(
          session,
          group.flatMap(({ jobs }) => jobs),
        ),
      )
      let first = 0
      for (const { jobs, resolve } of group) {
        resolve(enqueued.slice(first, first + jobs.length))
        first += jobs.length
      }
    } catch (error) {
      if (group.length === 1 || error instanceof StoreUnavailableError) for (const { reject } of group) reject(error)
      // One of the calls failed and took the others with it: give each its own transaction.
      else for (const one of group) await this.#enqueueAlone(session, one)
    }
  }

  async #enqueueAlone(session: Session, { jobs, resolve, reject }: Enqueueing): Promise<void> {
    try {
      resolve(await tryAgain(() => this.#enqueueAll(session, jobs)))
    } catch (error) {
      reject(error)
    }
  }
}
