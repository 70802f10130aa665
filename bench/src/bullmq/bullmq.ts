import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FlowJob, FlowProducer, Queue, QueueEvents } from 'bullmq'
import { chunks, inflight } from '../inflight.ts'
import { installedVersion } from '../installed-version.ts'
import { benchInput } from '../payload.ts'
import type { Bench, Peer, PeerKind, Urgency } from '../peer.ts'
import { nodeModule, startWorkerProcess, type WorkerProcess } from '../process/worker-process.ts'
import { REDIS_DURABILITY, type RedisServer, redisVersion, startRedis } from '../redis/redis-server.ts'

const LOOK_MS = 20
/** Of BullMQ's priorities 1 is the most urgent. */
const URGENT = { priority: 1 }
const PATIENT = { priority: 10 }

/** BullMQ on a Redis of its own, tuned as its users tune it: bulk adds by the thousand, 200 jobs at once. */
export const bullmq: PeerKind = {
  name: 'bullmq:redis',
  lacks: { held: 'Redis has no snapshots that a session could hold' },
  share: {},
  async find() {
    const redis = redisVersion()
    if (redis === undefined) return { missing: 'redis-server is not installed' }
    const version = installedVersion('bullmq')
    return { versions: { bullmq: version, redis }, open: openBullmq }
  },
}

async function openBullmq(bench: Bench): Promise<Peer> {
  const peer = new Bullmq(await startRedis(), bench)
  await peer.ready()
  return peer
}

class Bullmq implements Peer {
  readonly durability = REDIS_DURABILITY
  readonly #redis: RedisServer
  readonly #noop: Queue
  readonly #events: Readonly<Record<'noop' | 'chord' | 'chain', QueueEvents>>
  readonly #flows: FlowProducer
  readonly #usual: { readonly priority?: number }
  #enqueued = 0

  constructor(redis: RedisServer, bench: Bench) {
    this.#redis = redis
    const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null }
    this.#noop = new Queue('noop', { connection })
    this.#flows = new FlowProducer({ connection })
    this.#events = {
      noop: new QueueEvents('noop', { connection }),
      chord: new QueueEvents('chord', { connection }),
      chain: new QueueEvents('chain', { connection }),
    }
    // A job without a priority goes before all that have one.
    this.#usual = bench === 'backlog' ? PATIENT : {}
  }

  get serverPid(): number {
    return this.#redis.pid
  }

  async ready(): Promise<void> {
    await this.#noop.waitUntilReady()
    for (const events of Object.values(this.#events)) await events.waitUntilReady()
  }

  startWorker(): Promise<WorkerProcess> {
    return startWorkerProcess(nodeModule(new URL('./worker.ts', import.meta.url), [String(this.#redis.port)]))
  }

  async enqueueBulk(count: number): Promise<void> {
    for (const chunk of chunks(count)) {
      await this.#noop.addBulk(chunk.map((i) => ({ name: 'noop', data: benchInput(i), opts: this.#usual })))
    }
    this.#enqueued += count
  }

  async enqueueEach(count: number, inflightMax: number): Promise<void> {
    await inflight(count, inflightMax, async (i) => void (await this.#noop.add('noop', benchInput(i))))
    this.#enqueued += count
  }

  async allEnded(): Promise<void> {
    while ((await this.#noop.getCompletedCount()) < this.#enqueued) await sleep(LOOK_MS)
  }

  async unended(): Promise<number> {
    return this.#noop.getJobCountByTypes('wait', 'prioritized', 'active')
  }

  async verify(): Promise<void> {
    const samples = await this.#noop.getCompleted(0, 9)
    assert.ok(samples.length > 0 && samples.every((job) => job.returnvalue?.ok === true))
  }

  async roundTrips(count: number, urgency: Urgency): Promise<number[]> {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const start = performance.now()
      const job = await this.#noop.add('noop', benchInput(i), urgency === 'urgent' ? URGENT : this.#usual)
      await job.waitUntilFinished(this.#events.noop)
      times.push(performance.now() - start)
    }
    this.#enqueued += count
    return times
  }

  async runChord(children: number): Promise<number> {
    const parts = Array.from({ length: children }, (_, i) => ({ name: 'noop', queueName: 'noop', data: benchInput(i) }))
    const { job } = await this.#flows.add({ name: 'chord', queueName: 'chord', children: parts })
    return Number(await job.waitUntilFinished(this.#events.chord))
  }

  async runChains(chains: number, steps: number): Promise<number> {
    const nest = (left: number, i: number): FlowJob => ({
      name: 'step',
      queueName: 'chain',
      data: benchInput(i),
      ...(left > 1 && { children: [nest(left - 1, i)] }),
    })
    const trees = await this.#flows.addBulk(Array.from({ length: chains }, (_, i) => nest(steps, i)))
    const results = await Promise.all(trees.map(({ job }) => job.waitUntilFinished(this.#events.chain)))
    return results.filter((result: { i?: number }) => result.i === steps).length
  }

  async enqueueSlow(count: number, ms: number): Promise<void> {
    await this.#noop.addBulk(Array.from({ length: count }, (_, i) => ({ name: 'slow', data: { i, ms } })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.#noop.close(),
      this.#flows.close(),
      ...Object.values(this.#events).map((events) => events.close()),
    ])
    await this.#redis.stop()
  }
}
