// What runs inside a thread of threadExecutor: loads the module, and calls its function for one attempt after another.
import { strict as assert } from 'node:assert'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { NotCloneableError, ThreadExportMissingError } from './errors.ts'
import type { ThreadFunction, ThreadJob } from './thread-job.ts'
import {
  type FromThread,
  REPORTS_AHEAD_MAX,
  type Report,
  SHARED,
  type ThreadSetup,
  type ToThread,
} from './thread-messages.ts'
import { toError, toPlain } from './thrown.ts'

assert(parentPort, 'thread-entry.ts runs only as a thread')
const port = parentPort
const setup = workerData as ThreadSetup // sound: only thread.ts starts this file
const shared = new Int32Array(setup.shared)
let current: RunningAttempt | undefined

port.on('message', (message: ToThread) => take(message))

function take(message: ToThread): void {
  switch (message.type) {
    case 'run':
      current = new RunningAttempt(message)
      void current.run(message.input)
      return
    case 'abort':
      if (message.run === current?.number) current.abort(toError(message.reason))
      return
    case 'artifact-kept':
      if (message.run === current?.number) current.artifactKept(message)
      return
    default:
      message satisfies never
  }
}

class RunningAttempt {
  readonly number: number
  readonly #controller = new AbortController()
  readonly #job: ThreadJob
  readonly #artifacts = new Map<number, PromiseWithResolvers<void>>()
  #artifactCount = 0
  #reportCount = 0

  constructor(message: ToThread & { type: 'run' }) {
    this.number = message.run
    this.#job = {
      id: message.jobId,
      attempt: message.attempt,
      task: message.task,
      signal: seenWithoutYielding(this.#controller.signal),
      progress: (fraction, text) =>
        this.#report({ type: 'progress', fraction, ...(text !== undefined && { message: text }) }),
      log: (level, text) => this.#report({ type: 'log', level, message: String(text) }),
      metric: (name, step, value) => this.#report({ type: 'metric', name, step, value }),
      artifact: (name, content, mediaType) => this.#artifact(name, content, mediaType),
    }
  }

  async run(input: unknown): Promise<void> {
    try {
      const run = await loadFunction()
      const result = await run(input as never, this.#job) // sound: what the module's author declared is theirs to know
      // Those that the function did not wait for.
      await Promise.all(Array.from(this.#artifacts.values(), ({ promise }) => promise))
      this.#return(result)
    } catch (error) {
      this.#post({ type: 'threw', error: toPlain(error), isAbortReason: this.#isAbortReason(error) })
    }
    if (current === this) current = undefined
  }

  abort(reason: Error): void {
    this.#controller.abort(reason)
  }

  artifactKept({ number, error }: ToThread & { type: 'artifact-kept' }): void {
    const kept = this.#artifacts.get(number)
    this.#artifacts.delete(number)
    if (error) kept?.reject(toError(error))
    else kept?.resolve()
  }

  /** The reason itself, or the AbortError that Node's own functions wrap it in. */
  #isAbortReason(error: unknown): boolean {
    const { aborted, reason } = this.#controller.signal
    const isWrapped = error instanceof Error && error.name === 'AbortError' && error.cause === reason
    return aborted && (error === reason || isWrapped)
  }

  #return(result: unknown): void {
    try {
      this.#post({ type: 'returned', result })
    } catch (error) {
      throw new NotCloneableError(`The result of ${this.#job.task}`, { cause: error })
    }
  }

  /** Waits, and the whole thread with it, while the owner is too far behind: else reports would pile up in memory. */
  #report(report: Report): void {
    if (current !== this) return
    this.#post(report)
    this.#reportCount = (this.#reportCount + 1) | 0
    for (let taken = this.#taken(); ((this.#reportCount - taken) | 0) >= REPORTS_AHEAD_MAX; taken = this.#taken())
      Atomics.wait(shared, SHARED.reportsTaken, taken)
  }

  #taken(): number {
    return Atomics.load(shared, SHARED.reportsTaken)
  }

  #artifact(name: string, content: Uint8Array | string, mediaType?: string): Promise<void> {
    const number = ++this.#artifactCount
    const kept = Promise.withResolvers<void>()
    this.#artifacts.set(number, kept)
    this.#post({ type: 'artifact', number, name, content, ...(mediaType !== undefined && { mediaType }) })
    return kept.promise
  }

  #post(message: WithoutRun<FromThread>): void {
    port.postMessage({ ...message, run: this.number })
  }
}

type WithoutRun<Message> = Message extends { run: number } ? Omit<Message, 'run'> : never

async function loadFunction(): Promise<ThreadFunction> {
  const module: Readonly<Record<string, unknown>> = await import(setup.module)
  const run = module[setup.exportName]
  if (typeof run !== 'function') throw new ThreadExportMissingError(setup.module, setup.exportName)
  return run as ThreadFunction // sound: see `run` above
}

/**
 * A message reaches a thread only when its code yields to the event loop, which CPU work may never do. So this signal
 * looks for messages itself whenever it is asked, once the owner has set the flag that says there is one.
 */
function seenWithoutYielding(signal: AbortSignal): AbortSignal {
  const isAborted = () => {
    if (Atomics.load(shared, SHARED.abortSent) === 1) takeWaiting()
    return Reflect.get(AbortSignal.prototype, 'aborted', signal) as boolean
  }
  const throwIfAborted = () => {
    if (isAborted()) throw signal.reason
  }
  return Object.defineProperties(signal, { aborted: { get: isAborted }, throwIfAborted: { value: throwIfAborted } })
}

function takeWaiting(): void {
  for (let waiting = receiveMessageOnPort(port); waiting; waiting = receiveMessageOnPort(port)) take(waiting.message)
}
