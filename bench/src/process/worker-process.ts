import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type WorkerProcess = {
  readonly pid: number
  /** Lets it end by itself. */
  stop(): Promise<void>
  /** SIGKILL to it and to whatever it started. */
  kill(): Promise<void>
}

export type Command = {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A module of ours, run by this same Node. */
export function nodeModule(module: URL, args: readonly string[]): Command {
  const profile = process.env.BENCH_WORKER_NODE_OPTIONS?.split(' ') ?? []
  return { program: process.execPath, args: [...profile, fileURLToPath(module), ...args] }
}

/** Starts a worker in a process group of its own and waits until it prints READY. It ends when its input does. */
export async function startWorkerProcess({ program, args, env }: Command): Promise<WorkerProcess> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
    detached: true,
  })
  const exited = once(child, 'exit')
  await Promise.race([
    untilReady(child),
    exited.then(() => Promise.reject(new Error(`${program} ${args.join(' ')} ended before it was ready`))),
  ])
  const pid = child.pid ?? 0
  return {
    pid,
    async stop() {
      child.stdin?.end()
      await exited
    },
    async kill() {
      process.kill(-pid, 'SIGKILL')
      await exited
    },
  }
}

async function untilReady(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('a worker is started with its output piped')
  for await (const line of createInterface({ input: child.stdout })) if (line === 'READY') break
  // What else it prints is of no interest, and must not fill the pipe.
  child.stdout.resume()
}
