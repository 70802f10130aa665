import type { Figures } from '../deployment/figures.ts'
import { ModelError } from '../errors.ts'
import { concat, rowsOf, type Tensors } from '../tensor/tensor.ts'
import { type RunPoint, RunTimes } from './run-times.ts'

/** Monotonic milliseconds, and a timer; a test turns them by hand. */
export type BatchClock = {
  now(): number
  /** @returns what takes it back */
  after(delayMs: number, fn: () => void): () => void
}

export const realClock: BatchClock = {
  now: () => performance.now(),
  after(delayMs, fn) {
    // A timer of Node's rounds down, and would come a moment early.
    const timer = setTimeout(fn, Math.ceil(delayMs))
    return () => clearTimeout(timer)
  },
}

export type BatchLimits = { readonly maxBatch: number; readonly maxDelayMs: number; readonly queueMax: number }

/** What one request got: its own rows of the outputs, and how it came by them. */
export type Answer = {
  readonly outputs: Tensors
  readonly queuedMs: number
  readonly runMs: number
  /** Rows in the run that it was part of. */
  readonly batchRows: number
}

type Waiting = {
  readonly inputs: Tensors
  readonly rows: number
  /** Requests run together only where every dimension but the first is the same. */
  readonly shape: string
  readonly isPatient: boolean
  readonly arrivedAt: number
  readonly deadlineAt: number
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  /** Takes back the timer of its deadline and the listening for its signal. */
  letGo: () => void
}

/** An estimate of how long others take is off by some: so many times as long is reckoned with before a request is taken on. */
const DOUBT = 1.25

/** The next full batch is handed over while one this short is under way, so that the model need not wait for the event loop. */
const HANDED_AHEAD_MS = 20

export type SubmitOptions = {
  /** From now. */
  readonly deadlineMs: number
  /** It waits behind all that are not, and is never refused: for jobs, whose number is bounded elsewhere. */
  readonly isPatient?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** A request that is not read yet. */
export type Unread = {
  /** Its own, 0 where that is not known. */
  readonly rows: number
  /** Until it will be read. */
  readonly readMs: number
  /** Its turn to be read has come: those that were announced come after it. */
  readonly isNext?: boolean
}

/** A run that was handed to the model. */
type Run = { readonly rows: number; readonly handedAt: number }

/**
 * Puts requests together: while one run is under way those that come queue up, and the next run takes as many rows as are
 * worth it, as far as the tightest deadline among them allows. An idle model waits a moment for company. What cannot be answered
 * by its deadline is told so at once, instead of run.
 */
export class Batcher {
  readonly #run: (inputs: Tensors) => Promise<Tensors>
  readonly #limits: BatchLimits
  readonly #isBatched: boolean
  readonly #figures: Figures
  readonly #clock: BatchClock
  /** The patient ones behind the others; otherwise as they came. */
  readonly #queue: Waiting[] = []
  #hasty = 0
  #queuedRows = 0
  #hastyRows = 0
  /** Of requests that are being read. */
  #rowsToCome = 0
  /** At most two: the one under way, and the one handed over ahead. */
  readonly #runs: Run[] = []
  /** When the one under way began. */
  #startedAt = 0
  #cancelTimer: (() => void) | undefined
  readonly #times: RunTimes
  #idle: (() => void)[] = []

  constructor(options: {
    run: (inputs: Tensors) => Promise<Tensors>
    limits: BatchLimits
    isBatched: boolean
    figures: Figures
    /** As the warm-up measured it; empty where it could not. */
    curve?: readonly RunPoint[]
    clock?: BatchClock
  }) {
    this.#run = options.run
    this.#limits = options.limits
    this.#isBatched = options.isBatched
    this.#figures = options.figures
    this.#clock = options.clock ?? realClock
    this.#times = new RunTimes(options.curve ?? [], options.limits.maxBatch)
  }

  get queuedRows(): number {
    return this.#queuedRows
  }

  get isIdle(): boolean {
    return this.#runs.length === 0 && this.#queue.length === 0
  }

  /**
   * @throws {ModelError} `model_overloaded` at once where the queue is full; `model_too_late` where the deadline passes, or
   *   would before its run ended; what the run threw; the signal's reason
   */
  submit(inputs: Tensors, rows: number, { deadlineMs, isPatient = false, signal }: SubmitOptions): Promise<Answer> {
    const now = this.#clock.now()
    this.#figures.asked(rows)
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (!isPatient && this.#hastyRows + rows > this.#limits.queueMax) {
      this.#figures.refused()
      return Promise.reject(this.#overloaded())
    }
    const doneMs = this.#doneMs({ rows, readMs: 0 }, this.#hastyRows)
    if (!isPatient && doneMs > deadlineMs) {
      this.#figures.late()
      return Promise.reject(this.#tooLate({ arrivedAt: now, deadlineAt: now + deadlineMs }, doneMs - deadlineMs))
    }
    return new Promise<Answer>((resolve, reject) => {
      const waiting: Waiting = {
        inputs,
        rows,
        shape: Object.entries(inputs)
          .map(([name, { dims }]) => `${name}:${dims.slice(1).join('x')}`)
          .join(),
        isPatient,
        arrivedAt: now,
        deadlineAt: now + deadlineMs,
        resolve,
        reject,
        letGo: () => undefined,
      }
      this.#leaveInTime(waiting, deadlineMs, signal)
      this.#add(waiting)
      this.#consider()
    })
  }

  /**
   * Whether a request that is to be read now would be refused, so that nobody takes the trouble.
   * @throws {ModelError} as `submit` does
   */
  refuseHopeless(deadlineMs: number, unread: Unread): void {
    const now = this.#clock.now()
    const isFull = this.#hastyRows >= this.#limits.queueMax
    const doneMs = this.#doneMs(unread, this.#hastyRows + (unread.isNext ? 0 : this.#rowsToCome))
    if (!isFull && doneMs <= deadlineMs) return
    this.#figures.asked(0)
    if (isFull) {
      this.#figures.refused()
      throw this.#overloaded()
    }
    this.#figures.late()
    throw this.#tooLate({ arrivedAt: now, deadlineAt: now + deadlineMs }, doneMs - deadlineMs)
  }

  /** So many rows are being read, and will come before those of later requests. @returns what ends that */
  announce(rows: number): Disposable {
    this.#rowsToCome += rows
    return {
      [Symbol.dispose]: () => {
        this.#rowsToCome -= rows
      },
    }
  }

  /** Resolves when nothing waits or runs any more. */
  async drained(): Promise<void> {
    if (this.isIdle) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Until a request would be answered, as far as can be told: when it is read, or when what is ahead of it has run, and its own run. */
  #doneMs({ rows, readMs }: Unread, rowsAhead: number): number {
    const now = this.#clock.now()
    const { bestRows } = this.#times
    const own = Math.max(1, rows)
    const expectedMs = (count: number) => this.#times.expectedMs(count, now)
    if (!this.#isBatched)
      return Math.max(readMs, this.#restMs(now) + this.#hasty * expectedMs(1)) * DOUBT + expectedMs(1)
    const ahead = Math.floor(rowsAhead / bestRows)
    const together = (rowsAhead % bestRows) + own
    const aheadMs = this.#restMs(now) + ahead * expectedMs(bestRows)
    const ownMs =
      Math.floor(together / bestRows) * expectedMs(bestRows) +
      (together % bestRows === 0 ? 0 : expectedMs(together % bestRows))
    return Math.max(readMs, aheadMs) * DOUBT + ownMs
  }

  /** Of the runs that were handed over. */
  #restMs(now: number): number {
    const expectedMs = this.#runs.reduce((sum, { rows }) => sum + this.#times.expectedMs(rows, now), 0)
    return this.#runs.length === 0 ? 0 : Math.max(0, this.#startedAt + expectedMs - now)
  }

  #overloaded(): ModelError {
    const { queueMax } = this.#limits
    const retryAfterMs = Math.max(1_000, Math.ceil(this.#doneMs({ rows: 0, readMs: 0 }, this.#hastyRows)))
    return new ModelError(
      'model_overloaded',
      `The model is busy: ${this.#hastyRows} rows wait, and its queue takes ${queueMax}. Nothing of the request was run. Ask again ` +
        `in ${Math.ceil(retryAfterMs / 1_000)} s, or submit a job, which waits by itself.`,
      { retryable: true, retryAfterMs },
    )
  }

  /** Whether it waits or runs: at its deadline, or when nobody wants it any more, its caller is told. */
  #leaveInTime(waiting: Waiting, deadlineMs: number, signal: AbortSignal | undefined): void {
    const leave = (error: Error) => {
      const at = this.#queue.indexOf(waiting)
      if (at >= 0) this.#remove(at)
      waiting.letGo()
      waiting.reject(error)
      if (at >= 0) this.#consider()
    }
    const onAbort = () => leave(signal?.reason as Error) // sound: it has aborted, with a reason
    const cancelTimer = this.#clock.after(deadlineMs, () => {
      this.#figures.late()
      leave(this.#tooLate(waiting))
    })
    signal?.addEventListener('abort', onAbort, { once: true })
    waiting.letGo = () => {
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** @param overMs by how much it would be missed, where that is why */
  #tooLate({ arrivedAt, deadlineAt }: Pick<Waiting, 'arrivedAt' | 'deadlineAt'>, overMs = 0): ModelError {
    const now = this.#clock.now()
    const [waited, allowed] = [now - arrivedAt, deadlineAt - arrivedAt].map(Math.round)
    const runMs = this.#times.expectedMs(this.#times.bestRows, now)
    const took = runMs === 0 ? '' : ` A run takes about ${runMs.toFixed(1)} ms.`
    return new ModelError(
      'model_too_late',
      `The request could not be answered within its ${allowed} ms; ${waited} ms of them have passed.${took} Ask again later, allow more ` +
        'time with deadlineMs, or submit a job.',
      { retryable: true, retryAfterMs: Math.max(1_000, Math.ceil(overMs)) },
    )
  }

  #add(waiting: Waiting): void {
    if (waiting.isPatient) this.#queue.push(waiting)
    else this.#queue.splice(this.#hasty++, 0, waiting)
    this.#queuedRows += waiting.rows
    if (!waiting.isPatient) this.#hastyRows += waiting.rows
    this.#figures.queued(this.#queuedRows)
  }

  #remove(at: number): void {
    const [gone] = this.#queue.splice(at, 1)
    if (gone === undefined) return
    this.#queuedRows -= gone.rows
    if (!gone.isPatient) {
      this.#hasty--
      this.#hastyRows -= gone.rows
    }
    this.#figures.queued(this.#queuedRows)
  }

  /** Starts a run where it is time, or sets the timer for when it will be. */
  #consider(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const [first] = this.#queue
    if (this.#runs.length > 0) {
      if (first !== undefined && this.#mayHandAhead()) void this.#runNext()
      return
    }
    if (first === undefined) {
      for (const tell of this.#idle.splice(0)) tell()
      return
    }
    const now = this.#clock.now()
    const next = this.#queue.slice(0, this.#times.bestRows)
    // Who has little time left does not wait for company.
    const runMs = this.#times.expectedMs(Math.min(this.#queuedRows, this.#times.bestRows), now)
    const startBy = next.map(({ deadlineAt }) => deadlineAt - runMs * 1.5)
    const latestAt = Math.min(first.arrivedAt + this.#limits.maxDelayMs, ...startBy)
    if (this.#isFull() || latestAt <= now) void this.#runNext()
    else this.#cancelTimer = this.#clock.after(latestAt - now, () => this.#consider())
  }

  #isFull(): boolean {
    return !this.#isBatched || this.#queuedRows >= this.#times.bestRows
  }

  /** A long run is not worth it: who comes meanwhile would wait for two of them. */
  #mayHandAhead(): boolean {
    const [running, ahead] = this.#runs
    if (running === undefined || ahead !== undefined || !this.#isFull()) return false
    const runMs = this.#times.expectedMs(running.rows, this.#clock.now())
    return runMs > 0 && runMs <= HANDED_AHEAD_MS
  }

  async #runNext(): Promise<void> {
    const now = this.#clock.now()
    const batch = this.#take(now + this.#restMs(now))
    const run: Run = { rows: batch.reduce((sum, { rows }) => sum + rows, 0), handedAt: now }
    if (batch.length > 0) {
      this.#runs.push(run)
      if (this.#runs.length === 1) this.#startedAt = now
      await this.#runBatch(batch, run)
      this.#runs.splice(this.#runs.indexOf(run), 1)
      this.#startedAt = this.#clock.now()
    }
    this.#consider()
  }

  /**
   * The next run's requests, oldest first: as many as are worth it, and as can be answered by the tightest deadline among
   * them. Those that are too late by themselves are told so.
   */
  #take(startsAt: number): readonly Waiting[] {
    const most = this.#isBatched ? this.#times.bestRows : 0
    const batch: Waiting[] = []
    let [rows, tightestAt] = [0, Number.POSITIVE_INFINITY]
    const endsAt = (count: number) => startsAt + this.#times.expectedMs(count, this.#clock.now())
    for (let at = 0; at < this.#queue.length && (rows === 0 || rows < most); ) {
      const waiting = this.#queue[at] as Waiting // sound: at is within
      const both = rows + waiting.rows
      if (endsAt(waiting.rows) > waiting.deadlineAt) {
        this.#remove(at)
        this.#figures.late()
        waiting.letGo()
        waiting.reject(this.#tooLate(waiting))
      } else if (rows === 0 || (waiting.shape === batch[0]?.shape && both <= this.#limits.maxBatch)) {
        const soonestAt = Math.min(tightestAt, waiting.deadlineAt)
        if (rows > 0 && endsAt(both) > soonestAt) break
        this.#remove(at)
        batch.push(waiting)
        rows = both
        tightestAt = soonestAt
      } else at++
    }
    return batch
  }

  async #runBatch(batch: readonly Waiting[], { rows, handedAt }: Run): Promise<void> {
    try {
      const outputs = await this.#run(together(batch))
      const endedAt = this.#clock.now()
      // One that was handed over ahead began when the one before it ended.
      const startedAt = Math.max(handedAt, this.#startedAt)
      const runMs = endedAt - startedAt
      this.#times.ran(rows, { ms: runMs, endedAt })
      this.#figures.ran(rows, runMs)
      let from = 0
      for (const waiting of batch) {
        const to = from + waiting.rows
        const own = this.#isBatched ? mapTensors(outputs, (tensor) => rowsOf(tensor, from, to)) : outputs
        from = to
        const queuedMs = startedAt - waiting.arrivedAt
        waiting.letGo()
        if (endedAt < waiting.deadlineAt) this.#figures.answered(queuedMs + runMs)
        waiting.resolve({ outputs: own, queuedMs, runMs, batchRows: rows })
      }
    } catch (error) {
      this.#figures.failed(batch.length)
      for (const waiting of batch) {
        waiting.letGo()
        waiting.reject(error as Error)
      }
    }
  }
}

function together(batch: readonly Waiting[]): Tensors {
  const [first] = batch
  if (first === undefined || batch.length === 1) return first?.inputs ?? {}
  const names = Object.keys(first.inputs)
  return Object.fromEntries(
    names.map((name) => [
      name,
      concat(batch.map(({ inputs }) => inputs[name]).filter((tensor) => tensor !== undefined)),
    ]),
  )
}

function mapTensors(tensors: Tensors, fn: (tensor: Tensors[string]) => Tensors[string]): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, fn(tensor)]))
}
