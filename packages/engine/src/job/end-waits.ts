import { setAlarm } from '../clock/alarm.ts'
import type { Timer } from '../clock/clock.ts'
import { UnknownJobError, WaitTimeoutError } from '../errors.ts'
import type { Hint, Store } from '../store/store.ts'
import { type EndState, isEnded, type JobId } from './job.ts'

/** Hints may be lost, so the store is asked so often all the same. */
const LOOK_MS = 1_000

type Wait = { readonly resolve: (state: EndState) => void; readonly reject: (error: unknown) => void }

/** Everyone in this process who waits for the end of a job: one look at the store serves them all. */
export class EndWaits {
  readonly #store: Store
  readonly #report: (message: string, error: unknown) => void
  readonly #waits = new Map<JobId, Set<Wait>>()
  readonly #due = new Set<JobId>()
  #watching: Disposable | undefined
  #timer: Timer | undefined
  #isLooking = false
  /** The last look failed, and that was reported. */
  #isFailing = false

  /** @param report told once when the store stops answering, and again only after it has answered */
  constructor(store: Store, report: (message: string, error: unknown) => void) {
    this.#store = store
    this.#report = report
  }

  async wait(id: JobId, options: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<EndState> {
    options.signal?.throwIfAborted()
    let timer: Timer | undefined
    let onAbort: (() => void) | undefined
    let wait: Wait | undefined
    try {
      return await new Promise<EndState>((resolve, reject) => {
        wait = { resolve, reject }
        this.#add(id, wait)
        const { timeoutMs, signal } = options
        if (timeoutMs !== undefined) {
          const { clock } = this.#store
          timer = setAlarm(clock, clock.now() + timeoutMs, () => reject(new WaitTimeoutError(id, timeoutMs)))
        }
        if (signal !== undefined) {
          onAbort = () => reject(signal.reason)
          signal.addEventListener('abort', onAbort, { once: true })
        }
      })
    } finally {
      timer?.cancel()
      if (onAbort !== undefined) options.signal?.removeEventListener('abort', onAbort)
      if (wait !== undefined) this.#remove(id, wait)
    }
  }

  #add(id: JobId, wait: Wait): void {
    const waits = this.#waits.get(id)
    if (waits === undefined) this.#waits.set(id, new Set([wait]))
    else waits.add(wait)
    this.#watching ??= this.#store.watch((hint) => this.#hear(hint))
    this.#timer ??= this.#store.clock.setTimeout(() => this.#lookAtAll(), LOOK_MS, { routine: true })
    this.#lookAt([id])
  }

  #remove(id: JobId, wait: Wait): void {
    const waits = this.#waits.get(id)
    waits?.delete(wait)
    if (waits?.size === 0) this.#waits.delete(id)
    if (this.#waits.size > 0) return
    this.#watching?.[Symbol.dispose]()
    this.#watching = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #hear(hint: Hint): void {
    if (hint.all === true) this.#lookAt(this.#waits.keys())
    else if (hint.ended !== undefined) this.#lookAt(hint.ended.filter((id) => this.#waits.has(id)))
  }

  #lookAtAll(): void {
    this.#timer = this.#store.clock.setTimeout(() => this.#lookAtAll(), LOOK_MS, { routine: true })
    this.#lookAt(this.#waits.keys())
  }

  #lookAt(ids: Iterable<JobId>): void {
    for (const id of ids) this.#due.add(id)
    if (!this.#isLooking && this.#due.size > 0) void this.#look()
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    // Those who begin to wait in this same turn are asked for together.
    await Promise.resolve()
    const ids = [...this.#due]
    this.#due.clear()
    try {
      const states = await this.#store.states(ids)
      this.#isFailing = false
      for (const id of ids) this.#answer(id, states.get(id))
    } catch (error) {
      // That the store does not answer says nothing of the jobs; whoever waits is looked after by the next look.
      if (!this.#isFailing) this.#report('The ends of jobs could not be read; they are read again every second.', error)
      this.#isFailing = true
    }
    this.#isLooking = false
    if (this.#due.size > 0) void this.#look()
  }

  #answer(id: JobId, state: Parameters<typeof isEnded>[0] | undefined): void {
    for (const wait of this.#waits.get(id) ?? []) {
      if (state === undefined) wait.reject(new UnknownJobError(id))
      else if (isEnded(state)) wait.resolve(state)
    }
  }
}
