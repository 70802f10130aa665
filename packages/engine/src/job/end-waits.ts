import { setAlarm } from '../clock/alarm.ts'
import type { Timer } from '../clock/clock.ts'
import { UnknownJobError, WaitTimeoutError } from '../errors.ts'
import type { Hint, Store } from '../store/store.ts'
import { type EndState, isEnded, type JobId } from './job.ts'

/** Hints may be lost, so the store is asked so often all the same. */
const LOOK_MS = 1_000

export type Outcome = NonNullable<Awaited<ReturnType<Store['outcome']>>>
/** The outcome is there where it was read to see whether the job has ended. */
type End = { readonly state: EndState; readonly outcome?: Outcome }
type Wait = {
  readonly resolve: (end: End) => void
  readonly reject: (error: unknown) => void
  readonly wantsOutcome: boolean
}
type WaitOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal }

/** Everyone in this process who waits for the end of a job: one look at the store serves them all. */
export class EndWaits {
  readonly #store: Store
  readonly #report: (message: string, error: unknown) => void
  readonly #waits = new Map<JobId, Set<Wait>>()
  readonly #due = new Set<JobId>()
  /** Of these somebody has said that they ended. */
  readonly #hinted = new Set<JobId>()
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

  async wait(id: JobId, options: WaitOptions): Promise<EndState> {
    return (await this.#wait(id, options, false)).state
  }

  /** Waits for the end, and reads what came of it. */
  async outcome(id: JobId, options: WaitOptions): Promise<Outcome> {
    const { outcome = await this.#store.outcome(id) } = await this.#wait(id, options, true)
    if (outcome === undefined) throw new UnknownJobError(id)
    return outcome
  }

  async #wait(id: JobId, options: WaitOptions, wantsOutcome: boolean): Promise<End> {
    options.signal?.throwIfAborted()
    let timer: Timer | undefined
    let onAbort: (() => void) | undefined
    let wait: Wait | undefined
    try {
      return await new Promise<End>((resolve, reject) => {
        wait = { resolve, reject, wantsOutcome }
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
    else if (hint.ended !== undefined) {
      const ids = hint.ended.filter((id) => this.#waits.has(id))
      for (const id of ids) this.#hinted.add(id)
      this.#lookAt(ids)
    }
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
    const only = this.#onlyOutcome(ids)
    this.#hinted.clear()
    try {
      if (only !== undefined) this.#answerOutcome(only, await this.#store.outcome(only))
      else {
        const states = await this.#store.states(ids)
        for (const id of ids) this.#answer(id, states.get(id))
      }
      this.#isFailing = false
    } catch (error) {
      // That the store does not answer says nothing of the jobs; whoever waits is looked after by the next look.
      if (!this.#isFailing) this.#report('The ends of jobs could not be read; they are read again every second.', error)
      this.#isFailing = true
    }
    this.#isLooking = false
    if (this.#due.size > 0) void this.#look()
  }

  /** The one job to look at, where its outcome is asked for and it is said to have ended: then that is read at once. */
  #onlyOutcome(ids: readonly JobId[]): JobId | undefined {
    const [id] = ids
    if (id === undefined || ids.length > 1 || !this.#hinted.has(id)) return undefined
    return [...(this.#waits.get(id) ?? [])].some(({ wantsOutcome }) => wantsOutcome) ? id : undefined
  }

  /** Where there is none, the hint was false, and it is waited for on. */
  #answerOutcome(id: JobId, outcome: Outcome | undefined): void {
    if (outcome === undefined) return
    for (const wait of this.#waits.get(id) ?? []) wait.resolve({ state: outcome.state, outcome })
  }

  #answer(id: JobId, state: Parameters<typeof isEnded>[0] | undefined): void {
    for (const wait of this.#waits.get(id) ?? []) {
      if (state === undefined) wait.reject(new UnknownJobError(id))
      else if (isEnded(state)) wait.resolve({ state })
    }
  }
}
