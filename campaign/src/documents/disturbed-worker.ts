import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const PROGRAM = new URL('./worker-process.ts', import.meta.url).pathname

/** One worker, filled by one process after the other: killed, it is started again at once. */
export class DisturbedWorker {
  readonly #folder: string
  #process: ChildProcess
  kills = 0

  private constructor(folder: string) {
    this.#folder = folder
    this.#process = this.#spawn()
  }

  /** Ready when it has begun to work. */
  static async start(folder: string): Promise<DisturbedWorker> {
    const worker = new DisturbedWorker(folder)
    await worker.#ready()
    return worker
  }

  #spawn(): ChildProcess {
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM, this.#folder]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    // None may outlive the campaign.
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    child.once('exit', () => process.off('exit', end))
    return child
  }

  async #ready(): Promise<void> {
    const [what] = await Promise.race([once(this.#process, 'message'), once(this.#process, 'exit')])
    if (what !== 'ready') throw new Error(`A worker ended with ${what} before it began to work.`)
  }

  /** SIGKILL, whatever it is at, and the next one in its place. */
  async kill(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
    this.kills++
    this.#process = this.#spawn()
    await this.#ready()
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.send('stop', () => {})
    await exited
  }
}
