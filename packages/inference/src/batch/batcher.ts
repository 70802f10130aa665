import type { Figures } from '../deployment/figures.ts'
import { ModelError } from '../errors.ts'
import { concat, rowsOf, type Tensors } from '../tensor/tensor.ts'

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

/** After so long without a run nothing is refused for what runs took before: one that stalled is no measure for ever. */
const KNOWN_FOR_MS = 1_000

/** How much of the newest run goes into the estimate of the next one. */
const NEWEST_SHARE = 0.2

export type SubmitOptions = {
  /** From now. */
  readonly deadlineMs: number
  /** It waits behind all that are not, and is never refused: for jobs, whose number is bounded elsewhere. */
  readonly isPatient?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Puts requests together: while one run is under way those that come queue up, and the next run takes as many rows as it
 * may. An idle model waits a moment for company. What cannot be answered by its deadline is told so instead of run.
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
  #isRunning = false
  #cancelTimer: (() => void) | undefined
  /** Of a run, smoothed; undefined before the first. */
  #runMs: number | undefined
  #startedAt = 0
  #ranAt = 0
  #idle: (() => void)[] = []

  constructor(options: {
    run: (inputs: Tensors) => Promise<Tensors>
    limits: BatchLimits
    isBatched: boolean
    figures: Figures
    clock?: BatchClock
  }) {
    this.#run = options.run
    this.#limits = options.limits
    this.#isBatched = options.isBatched
    this.#figures = options.figures
    this.#clock = options.clock ?? realClock
  }

  get queuedRows(): number {
    return this.#queuedRows
  }

  get isIdle(): boolean {
    return !this.#isRunning && this.#queue.length === 0
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
    if (!isPatient && this.#waitMs(rows) > deadlineMs) {
      this.#figures.late()
      return Promise.reject(this.#tooLate({ arrivedAt: now, deadlineAt: now + deadlineMs }))
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
   * Whether a request that came now would be refused, so that nobody takes the trouble of reading it.
   * @throws {ModelError} as `submit` does
   */
  refuseHopeless(deadlineMs: number): void {
    const now = this.#clock.now()
    if (this.#hastyRows < this.#limits.queueMax && this.#waitMs(1) <= deadlineMs) return
    this.#figures.asked(0)
    if (this.#hastyRows >= this.#limits.queueMax) {
      this.#figures.refused()
      throw this.#overloaded()
    }
    this.#figures.late()
    throw this.#tooLate({ arrivedAt: now, deadlineAt: now + deadlineMs })
  }

  /** Resolves when nothing waits or runs any more. */
  async drained(): Promise<void> {
    if (this.isIdle) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Until so many rows more would be answered, as far as can be told: the rest of this run, and those before and with them. */
  #waitMs(rows: number): number {
    const runMs = this.#expectedMs()
    const restMs = this.#isRunning ? Math.max(0, this.#startedAt + runMs - this.#clock.now()) : 0
    const runs = this.#isBatched ? Math.ceil((this.#hastyRows + rows) / this.#limits.maxBatch) : this.#hasty + 1
    return restMs + runs * runMs
  }

  /** Of the next run; 0 where nobody knows. */
  #expectedMs(): number {
    return this.#isRunning || this.#clock.now() - this.#ranAt < KNOWN_FOR_MS ? (this.#runMs ?? 0) : 0
  }

  #overloaded(): ModelError {
    const { queueMax, maxBatch } = this.#limits
    const retryAfterMs = Math.max(1_000, Math.ceil((this.#hastyRows / maxBatch) * (this.#runMs ?? 0)))
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

  #tooLate({ arrivedAt, deadlineAt }: Pick<Waiting, 'arrivedAt' | 'deadlineAt'>): ModelError {
    const [waited, allowed] = [this.#clock.now() - arrivedAt, deadlineAt - arrivedAt].map(Math.round)
    const took = this.#runMs === undefined ? '' : ` A run takes about ${this.#runMs.toFixed(1)} ms.`
    return new ModelError(
      'model_too_late',
      `The request could not be answered within its ${allowed} ms; ${waited} ms of them have passed.${took} Ask again later, allow more ` +
        'time with deadlineMs, or submit a job.',
      { retryable: true, retryAfterMs: 1_000 },
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
    if (this.#isRunning) return
    const [first] = this.#queue
    if (first === undefined) {
      for (const tell of this.#idle.splice(0)) tell()
      return
    }
    // Who has little time left does not wait for company.
    const next = this.#queue.slice(0, this.#limits.maxBatch)
    const startBy = next.map(({ deadlineAt }) => deadlineAt - this.#expectedMs() * 1.5)
    const latestAt = Math.min(first.arrivedAt + this.#limits.maxDelayMs, ...startBy)
    const waitMs = latestAt - this.#clock.now()
    if (this.#isFull() || waitMs <= 0) void this.#runNext()
    else this.#cancelTimer = this.#clock.after(waitMs, () => this.#consider())
  }

  #isFull(): boolean {
    return !this.#isBatched || this.#queuedRows >= this.#limits.maxBatch
  }

  async #runNext(): Promise<void> {
    const startedAt = this.#clock.now()
    const batch = this.#take(startedAt)
    this.#isRunning = true
    this.#startedAt = startedAt
    if (batch.length > 0) await this.#runBatch(batch, startedAt)
    this.#isRunning = false
    this.#consider()
  }

  /** The next run's requests, oldest first; those that are too late are told so. */
  #take(now: number): readonly Waiting[] {
    const expectedMs = this.#expectedMs()
    const batch: Waiting[] = []
    let rows = 0
    for (let at = 0; at < this.#queue.length; ) {
      const waiting = this.#queue[at] as Waiting // sound: at is within
      if (now + expectedMs > waiting.deadlineAt) {
        this.#remove(at)
        this.#figures.late()
        waiting.letGo()
        waiting.reject(this.#tooLate(waiting))
      } else if (
        batch.length === 0 ||
        (this.#isBatched && waiting.shape === batch[0]?.shape && rows + waiting.rows <= this.#limits.maxBatch)
      ) {
        this.#remove(at)
        batch.push(waiting)
        rows += waiting.rows
      } else at++
      if (batch.length > 0 && (!this.#isBatched || rows >= this.#limits.maxBatch)) break
    }
    return batch
  }

  async #runBatch(batch: readonly Waiting[], startedAt: number): Promise<void> {
    const rows = batch.reduce((sum, waiting) => sum + waiting.rows, 0)
    try {
      const outputs = await this.#run(together(batch))
      this.#ranAt = this.#clock.now()
      const runMs = this.#ranAt - startedAt
      this.#runMs = this.#runMs === undefined ? runMs : this.#runMs + NEWEST_SHARE * (runMs - this.#runMs)
      this.#figures.ran(rows, runMs)
      let from = 0
      for (const waiting of batch) {
        const to = from + waiting.rows
        const own = this.#isBatched ? mapTensors(outputs, (tensor) => rowsOf(tensor, from, to)) : outputs
        from = to
        const queuedMs = startedAt - waiting.arrivedAt
        waiting.letGo()
        if (this.#clock.now() < waiting.deadlineAt) this.#figures.answered(queuedMs + runMs)
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
