import type { ResourceLimits } from 'node:worker_threads'
import { ExecutorClosedError } from './errors.ts'
import type { Execute, ExecutionRequest, Timers } from './execution.ts'
import { Thread } from './thread.ts'

export type ThreadExecutorOptions = {
  /** The module that each thread loads, once. */
  readonly module: URL
  /** The name of its function `(input, job) => result`, see {@link ThreadJob}. Default `default`. */
  readonly export?: string
  /** Of each thread; see `resourceLimits` of node:worker_threads. Default: Node's. */
  readonly resourceLimits?: ResourceLimits
  /** The most threads at once; further attempts wait in line. Default: as many as attempts are asked for. */
  readonly sizeMax?: number
  /** The most threads kept warm. Default 4. */
  readonly idleMax?: number
  /** How long a thread is kept warm. Default 30,000. */
  readonly idleMs?: number
}

/**
 * Executes attempts in threads, so that CPU work does not hold up the event loop. Inputs and results pass by structured clone.
 * Threads are made on demand and kept warm for a while; an idle one does not keep the process alive. Disposing of the
 * executor ends them all.
 *
 * A function that does not end within its grace is ended with its thread. Errors keep their name, message, stack, code,
 * `retryable` and cause, but not their class. Rejects also with `thread_exited`, `out_of_memory`, `killed_after_grace`,
 * `not_cloneable`, `thread_export_missing` and `executor_closed`.
 *
 * @example
 * const execute = threadExecutor({ module: new URL('./zonal-statistics.ts', import.meta.url), export: 'zonalStatistics' })
 */
export function threadExecutor(options: ThreadExecutorOptions): Execute & AsyncDisposable {
  const pool = new ThreadPool(options)
  const execute: Execute = (request) => pool.execute(request)
  return Object.assign(execute, { [Symbol.asyncDispose]: () => pool.close() })
}

type Waiting = { readonly give: (thread: Thread) => void; readonly close: (_: undefined) => void }
type Idle = { readonly thread: Thread; readonly timer: { cancel(): void } }

class ThreadPool {
  readonly #options: ThreadExecutorOptions
  readonly #threads = new Set<Thread>()
  readonly #waiting = new Set<Waiting>()
  #idle: Idle[] = []
  #isClosed = false

  constructor(options: ThreadExecutorOptions) {
    this.#options = options
  }

  async execute(request: ExecutionRequest): Promise<unknown> {
    request.signal.throwIfAborted()
    if (this.#isClosed) throw new ExecutorClosedError(request.task)
    const thread = this.#takeIdle() ?? this.#makeThread() ?? (await this.#waitForThread(request))
    try {
      request.signal.throwIfAborted()
      return await thread.run(request)
    } finally {
      this.#giveBack(thread, request.timers)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const waiting of this.#waiting) waiting.close(undefined)
    for (const { timer } of this.#idle) timer.cancel()
    await Promise.all([...this.#threads].map((thread) => thread.close()))
  }

  /** The one used last: its caches are the warmest, and the others may come to their end. */
  #takeIdle(): Thread | undefined {
    const idle = this.#idle.pop()
    idle?.timer.cancel()
    return idle?.thread.isUsable === false ? this.#takeIdle() : idle?.thread
  }

  #makeThread(): Thread | undefined {
    const { module, sizeMax = Number.POSITIVE_INFINITY, resourceLimits } = this.#options
    if (this.#threads.size >= sizeMax) return undefined
    const thread = new Thread({ module: module.href, exportName: this.#options.export ?? 'default' }, resourceLimits)
    this.#threads.add(thread)
    void thread.ended.then(() => this.#forget(thread))
    return thread
  }

  /** Whoever gives, closes or aborts first also takes the attempt out of the line. */
  #waitForThread({ signal, task }: ExecutionRequest): Promise<Thread> {
    const { promise, resolve, reject } = Promise.withResolvers<Thread>()
    const leaving = <Value>(settle: (value: Value) => void) => {
      return (value: Value) => {
        signal.removeEventListener('abort', abort)
        this.#waiting.delete(waiting)
        settle(value)
      }
    }
    const abort = leaving(() => reject(signal.reason))
    const waiting: Waiting = { give: leaving(resolve), close: leaving(() => reject(new ExecutorClosedError(task))) }
    signal.addEventListener('abort', abort, { once: true })
    this.#waiting.add(waiting)
    return promise
  }

  #giveBack(thread: Thread, timers: Timers): void {
    const [next] = this.#waiting
    if (!thread.isUsable || this.#isClosed) return
    if (next) next.give(thread)
    else if (this.#idle.length < (this.#options.idleMax ?? 4)) this.#keepWarm(thread, timers)
    else void thread.close()
  }

  #keepWarm(thread: Thread, timers: Timers): void {
    const end = () => void thread.close()
    const timer = timers.setTimeout(end, this.#options.idleMs ?? 30_000, { background: true })
    this.#idle.push({ thread, timer })
  }

  /** Of a thread that has ended. The next in line gets a new one. */
  #forget(thread: Thread): void {
    this.#threads.delete(thread)
    this.#idle = this.#idle.filter((idle) => idle.thread !== thread)
    const [next] = this.#waiting
    const another = next && this.#makeThread()
    if (another) next.give(another)
  }
}
