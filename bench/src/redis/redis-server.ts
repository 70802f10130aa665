import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@headrace/store-postgres/testing'
import { benchFolder } from '../machine/about.ts'
import { endWithBench } from '../process/end-with-bench.ts'

export type RedisServer = { readonly port: number; readonly pid: number; stop(): Promise<void> }

/** What its users run. Up to a second of accepted jobs may be lost with the power. */
export const REDIS_DURABILITY = 'appendfsync everysec'

/** Undefined where no `redis-server` is installed. */
export function redisVersion(): string | undefined {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  return stdout?.match(/v=(\S+)/)?.[1]
}

/** A Redis of our own on a free port, with the durability that its users run: the log flushed every second. */
export async function startRedis(): Promise<RedisServer> {
  const folder = benchFolder('redis')
  const port = await freePort()
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const server = spawn('redis-server', args, { stdio: 'ignore' })
  endWithBench(server, folder)
  await answers(port)
  return {
    port,
    pid: server.pid ?? 0,
    async stop() {
      const exited = once(server, 'exit')
      server.kill()
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await accepts(port)) return
    await sleep(50)
  }
  throw new Error('redis-server did not begin to answer within 5 s')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (isOpen: boolean) => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => answer(true)).once('error', () => answer(false))
  })
}
