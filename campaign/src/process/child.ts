import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import type { Order, Role } from './role.ts'

const PROGRAM = new URL('./campaign-process.ts', import.meta.url).pathname

/** Every process that lives, by its pid: none may outlive the campaign. */
const living = new Map<number, ChildProcess>()
process.on('exit', () => {
  for (const child of living.values()) child.kill('SIGKILL')
})

/** One place in the campaign's cast, filled by one process after the other. */
export class Child {
  readonly role: Role
  readonly #logs: string
  #process: ChildProcess | undefined
  #isFrozen = false
  #isFinished = false

  /** @param logs the folder for what it says on stderr */
  constructor(role: Role, logs: string) {
    this.role = role
    this.#logs = logs
  }

  /** @param onExit told when this process is over, unless it was told to finish */
  start(onExit: () => void): void {
    if (this.#isFinished) return
    const stderr = openSync(join(this.#logs, `${this.role.name}.log`), 'a')
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(this.role)], {
      stdio: ['ignore', 'ignore', stderr, 'ipc'],
    })
    this.#process = child
    if (child.pid !== undefined) living.set(child.pid, child)
    // Orders to one that is gone.
    child.on('error', () => {})
    child.once('exit', () => {
      if (child.pid !== undefined) living.delete(child.pid)
      this.#process = undefined
      this.#isFrozen = false
      if (!this.#isFinished) onExit()
    })
  }

  kill(): void {
    this.#process?.kill('SIGKILL')
  }

  freeze(): void {
    this.#isFrozen = this.#process?.kill('SIGSTOP') === true
  }

  thaw(): void {
    if (this.#isFrozen) this.#process?.kill('SIGCONT')
    this.#isFrozen = false
  }

  /** Tells it to finish, and never to come again. @returns whether it did within that time; otherwise it was killed */
  async finish(withinMs: number): Promise<boolean> {
    this.#isFinished = true
    const child = this.#process
    if (child === undefined) return true
    const exited = once(child, 'exit').then(() => true)
    if (child.connected) child.send('finish' satisfies Order, () => {})
    const isInTime = await Promise.race([exited, after(withinMs)])
    if (!isInTime) {
      child.kill('SIGKILL')
      await exited
    }
    return isInTime
  }
}

function after(ms: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref()
  })
}
