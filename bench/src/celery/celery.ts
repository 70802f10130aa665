import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { availableParallelism, homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Bench, Peer, PeerKind, Urgency } from '../peer.ts'
import { endWithBench } from '../process/end-with-bench.ts'
import { startWorkerProcess, type WorkerProcess } from '../process/worker-process.ts'
import { REDIS_DURABILITY, type RedisServer, redisVersion, startRedis } from '../redis/redis-server.ts'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
/** `python3 -m venv ~/.cache/headrace-bench/celery && ~/.cache/headrace-bench/celery/bin/pip install 'celery[redis]'` */
const VENV_PYTHON = join(homedir(), '.cache/headrace-bench/celery/bin/python')
const ABOUT = `
import celery, kombu, platform, redis
print(celery.__version__, kombu.__version__, platform.python_version())`

/** Celery with broker and results on a Redis of its own; processes as many as cores. */
export const celery: PeerKind = {
  name: 'celery:redis',
  lacks: { held: 'Redis has no snapshots that a session could hold' },
  share: { throughput: 0.25, each: 0.25, chain: 0.5, backlog: 0.15 },
  async find() {
    const redis = redisVersion()
    if (redis === undefined) return { missing: 'redis-server is not installed' }
    const found = findPython()
    if (found === undefined) return { missing: 'no Python with celery and redis was found' }
    const { python, versions } = found
    return { versions: { ...versions, redis }, open: (bench) => openCelery(python, bench) }
  },
}

function findPython() {
  for (const python of [process.env.BENCH_PYTHON, VENV_PYTHON, '/usr/bin/python3', 'python3']) {
    if (python === undefined || (python.startsWith('/') && !existsSync(python))) continue
    const { stdout, status } = spawnSync(python, ['-c', ABOUT], { encoding: 'utf8' })
    if (status !== 0) continue
    const [celery = '', kombu = '', version = ''] = stdout.trim().split(' ')
    return { python, versions: { celery, kombu, python: version } }
  }
  return undefined
}

async function openCelery(python: string, bench: Bench): Promise<Peer> {
  const redis = await startRedis()
  const isFew = bench === 'latency' || bench === 'backlog'
  const env = {
    BENCH_REDIS_PORT: String(redis.port),
    BENCH_NAME: bench,
    BENCH_CONCURRENCY: String(bench === 'recovery' ? 20 : availableParallelism()),
    BENCH_PREFETCH: bench === 'recovery' ? '1' : isFew ? '4' : '16',
    PYTHONDONTWRITEBYTECODE: '1',
    // It warns at length of being root.
    PYTHONWARNINGS: 'ignore',
  }
  const producer = spawn(python, [join(FOLDER, 'producer.py')], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  endWithBench(producer)
  const peer = new CeleryPeer({ python, redis, env, producer })
  await peer.ready()
  return peer
}

type Parts = {
  readonly python: string
  readonly redis: RedisServer
  readonly env: Readonly<Record<string, string>>
  readonly producer: ChildProcess
}

class CeleryPeer implements Peer {
  readonly durability = REDIS_DURABILITY
  readonly #parts: Parts
  readonly #answers: ((line: string) => void)[] = []

  constructor(parts: Parts) {
    this.#parts = parts
    const { stdout } = parts.producer
    if (stdout === null) throw new Error('the producer is started with its output piped')
    createInterface({ input: stdout }).on('line', (line) => this.#answers.shift()?.(line))
  }

  get serverPid(): number {
    return this.#parts.redis.pid
  }

  get producerPid(): number | undefined {
    return this.#parts.producer.pid
  }

  async ready(): Promise<void> {
    await this.#answer()
  }

  startWorker(): Promise<WorkerProcess> {
    const { python, env } = this.#parts
    return startWorkerProcess({ program: python, args: [join(FOLDER, 'worker.py')], env })
  }

  async enqueueBulk(count: number): Promise<void> {
    await this.#call('enqueue_bulk', count)
  }

  async enqueueEach(count: number, inflightMax: number): Promise<void> {
    await this.#call('enqueue_each', count, inflightMax)
  }

  async allEnded(): Promise<void> {
    await this.#call('all_ended')
  }

  async unended(): Promise<number> {
    return Number(await this.#call('unended'))
  }

  async verify(): Promise<void> {
    await this.#call('verify')
  }

  async roundTrips(count: number, urgency: Urgency): Promise<number[]> {
    return (await this.#call('round_trips', count, urgency)) as number[]
  }

  async runChord(children: number): Promise<number> {
    return Number(await this.#call('run_chord', children))
  }

  async runChains(chains: number, steps: number): Promise<number> {
    return Number(await this.#call('run_chains', chains, steps))
  }

  async enqueueSlow(count: number, ms: number): Promise<void> {
    await this.#call('enqueue_slow', count, ms)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { producer, redis } = this.#parts
    const exited = once(producer, 'exit')
    producer.stdin?.end()
    await exited
    await redis.stop()
  }

  async #call(name: string, ...args: unknown[]): Promise<unknown> {
    this.#parts.producer.stdin?.write(`${JSON.stringify({ name, args })}\n`)
    const answer = JSON.parse(await this.#answer()) as { readonly value?: unknown; readonly error?: string }
    if (answer.error !== undefined) throw new Error(`Celery's producer: ${answer.error}`)
    return answer.value
  }

  #answer(): Promise<string> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error("Celery's producer ended"))
      this.#parts.producer.once('exit', ended)
      this.#answers.push((line) => {
        this.#parts.producer.off('exit', ended)
        resolve(line)
      })
    })
  }
}
