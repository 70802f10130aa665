import { Worker } from 'node:worker_threads'
import type { RunPoint } from '../batch/run-times.ts'
import { ModelError } from '../errors.ts'
import type { ModelManifest } from '../manifest/manifest.ts'
import type { Tensors } from '../tensor/tensor.ts'
import type { FromSession, PlainError, SessionSetup, ToSession } from './messages.ts'

/** To look through a file, load it and run it once. */
const LOAD_MS = 120_000

/** A run that takes longer has a loop without an end, or a machine that is of no use for it. */
const RUN_MS = 300_000

type Running = { readonly resolve: (outputs: Tensors) => void; readonly reject: (error: Error) => void }

/** A model that is loaded, in a thread of its own: a run takes the thread, and not the server's event loop. */
export class Session {
  readonly #thread: Worker
  readonly #running = new Map<number, Running>()
  #number = 0
  #gone: Error | undefined
  /** Resolves when its thread has ended and its memory is given back. */
  readonly exited: Promise<void>
  readonly #runMs: number
  #curve: readonly RunPoint[] = []

  private constructor(thread: Worker, runMs: number) {
    this.#thread = thread
    this.#runMs = runMs
    this.exited = new Promise((resolve) => thread.once('exit', () => resolve()))
  }

  /**
   * Checks a model file and loads it.
   * @param runMs after so long a run is given up; its thread ends when the run comes back
   * @throws {ModelError} what is wrong with it, or with its manifest
   */
  static async open(path: string, manifest: ModelManifest, runMs = RUN_MS): Promise<Session> {
    const workerData: SessionSetup = { path, manifest }
    const thread = new Worker(new URL('./session-thread.ts', import.meta.url), {
      workerData,
      name: `${manifest.name}@${manifest.version}`,
    })
    // What runs is waited for by somebody; an idle model keeps no program alive.
    const session = new Session(thread, runMs)
    try {
      await session.#ready()
    } catch (error) {
      session.#leave()
      throw error
    }
    thread.on('message', (message: FromSession) => session.#hear(message))
    thread.unref()
    return session
  }

  /** Whether its thread was lost, and it must be opened anew. */
  get isGone(): boolean {
    return this.#gone !== undefined
  }

  /** How long runs of different sizes took when it was loaded; empty where it could not be tried. */
  get curve(): readonly RunPoint[] {
    return this.#curve
  }

  /** @throws {ModelError} `model_run_failed` */
  run(inputs: Tensors): Promise<Tensors> {
    if (this.#gone) return Promise.reject(this.#gone)
    const number = ++this.#number
    const { promise, resolve, reject } = Promise.withResolvers<Tensors>()
    const timer = setTimeout(() => this.#giveUp(), this.#runMs)
    this.#running.set(number, { resolve, reject })
    this.#thread.ref()
    this.#post({ type: 'run', number, inputs })
    return promise.finally(() => clearTimeout(timer))
  }

  /** Lets what runs come to its end, then gives the memory back. A run that was given up is not waited for. */
  async close(): Promise<void> {
    if (this.#gone) return
    this.#thread.ref()
    this.#post({ type: 'close' })
    await this.exited
  }

  #ready(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(loadFailed(`it was not loaded within ${LOAD_MS / 1_000} s`)), LOAD_MS)
    this.#thread.once('message', (message: FromSession) => {
      if (message.type === 'refused') return reject(errorOf(message.error))
      if (message.type === 'ready') this.#curve = message.curve
      resolve()
    })
    this.#thread.on('error', (error: Error) => {
      reject(loadFailed(error.message))
      this.#die(error)
    })
    this.#thread.once('exit', (code) => {
      reject(loadFailed(`its thread ended with ${code}`))
      this.#die(new Error(`its thread ended with ${code}`))
    })
    return promise.finally(() => clearTimeout(timer))
  }

  #hear(message: FromSession): void {
    if (this.#gone) return
    if (message.type !== 'ran' && message.type !== 'threw') return
    const running = this.#running.get(message.number)
    this.#running.delete(message.number)
    if (this.#running.size === 0) this.#thread.unref()
    if (message.type === 'ran') running?.resolve(message.outputs)
    else running?.reject(errorOf(message.error))
  }

  #giveUp(): void {
    this.#die(new Error(`a run took more than ${this.#runMs / 1_000} s`))
    this.#leave()
  }

  /**
   * Nobody waits for the thread any more; it ends by itself once it comes back from the runtime. Ended from here in the
   * middle of a run, it would take the whole process with it: the runtime's answer would find no thread, and abort.
   */
  #leave(): void {
    this.#thread.unref()
    this.#post({ type: 'close' })
  }

  #die(cause: Error): void {
    this.#gone ??= new ModelError(
      'model_run_failed',
      `The model’s thread was lost: ${cause.message}. It is loaded again at the next request.`,
      {
        cause,
        retryable: true,
      },
    )
    for (const { reject } of this.#running.values()) reject(this.#gone)
    this.#running.clear()
  }

  #post(message: ToSession): void {
    this.#thread.postMessage(message)
  }
}

function errorOf({ code, message }: PlainError): ModelError {
  return new ModelError(code, message)
}

function loadFailed(why: string): ModelError {
  return new ModelError('model_load_failed', `The model cannot be loaded: ${why}.`)
}
