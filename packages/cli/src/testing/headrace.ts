import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MAIN = join(import.meta.dirname, '..', 'main.ts')

export type Ran = { readonly stdout: string; readonly stderr: string; readonly code: number | null }

/** The real command, under way. */
export interface Running {
  readonly pid: number
  kill(signal: NodeJS.Signals): void
  /** Resolves once it has written this, on stdout or stderr; rejects when it ends without. */
  wrote(part: string): Promise<string>
  readonly ended: Promise<Ran>
}

/** A folder to run commands in, removed in the end. */
export type Place = AsyncDisposable & {
  readonly dir: string
  /** Runs the command to its end. */
  run(args: readonly string[], more?: { env?: Record<string, string>; input?: string }): Promise<Ran>
  start(args: readonly string[]): Running
}

/** @param environment of all its commands, besides what a test's own is */
export async function makePlace(environment: Readonly<Record<string, string>> = {}): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-cli-'))
  return {
    dir,
    start: (args) => startCommand(dir, args, { env: environment }),
    run: (args, { env = {}, ...more } = {}) =>
      startCommand(dir, args, { ...more, env: { ...environment, ...env } }).ended,
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
}

function startCommand(
  dir: string,
  args: readonly string[],
  { env = {}, input = '' }: { readonly env?: Record<string, string>; readonly input?: string },
): Running {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
    cwd: dir,
    env: { ...withoutHeadrace(process.env), ...env },
  })
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      written[name] += chunk
      child.emit('wrote')
    })
  }
  child.stdin.end(input)
  const ended = once(child, 'close').then(() => ({ ...written, code: child.exitCode }))
  return {
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    ended,
    async wrote(part) {
      while (!(written.stdout + written.stderr).includes(part)) {
        const ran = await Promise.race([once(child, 'wrote').then(() => undefined), ended])
        if (ran) throw new Error(`It ended with ${ran.code} before it wrote "${part}": ${ran.stdout}${ran.stderr}`)
      }
      return written.stdout + written.stderr
    },
  }
}

export type Served = AsyncDisposable & {
  readonly url: string
  readonly loginUrl: string
  readonly command: Running
  stop(): Promise<number | null>
}

/** `headrace serve` on a free port, once it is ready. */
export async function serve(place: Place, ...args: readonly string[]): Promise<Served> {
  const command = place.start(['serve', '--port', '0', '--json', ...args])
  const line = (await command.wrote('"version"')).split('\n').find((one) => one.startsWith('{')) ?? ''
  const { url, loginUrl } = JSON.parse(line) as { url: string; loginUrl: string } // sound: what serve --json writes
  const stop = async () => {
    command.kill('SIGTERM')
    return (await command.ended).code
  }
  return {
    url,
    loginUrl,
    command,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}

function withoutHeadrace(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(HEADRACE_|FORCE_COLOR$|NO_COLOR$)/.test(name)))
}
