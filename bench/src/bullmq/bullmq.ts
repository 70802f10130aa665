import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FlowJob, FlowProducer, Queue, QueueEvents } from 'bullmq'
import { inflight } from '../inflight.ts'
import { benchInput } from '../payload.ts'
import type { Peer } from '../peer.ts'
import { startWorkerProcess, type WorkerProcess } from '../worker-process.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

const CHUNK = 1_000
const LOOK_MS = 20

/** BullMQ on a Redis of its own, tuned as its users tune it: bulk adds by the thousand, 200 jobs at once. */
export async function openBullmq(): Promise<Peer> {
  const redis = await startRedis()
  const worker = await startWorkerProcess(new URL('./worker.ts', import.meta.url), [String(redis.port)])
  const peer = new Bullmq(redis, worker)
  await peer.ready()
  return peer
}

class Bullmq implements Peer {
  readonly name = 'bullmq:redis'
  readonly durability = 'Redis log flushed every second: up to 1 s may be lost'
  readonly #redis: RedisServer
  readonly #worker: WorkerProcess
  readonly #noop: Queue
  readonly #events: Readonly<Record<'noop' | 'chord' | 'chain', QueueEvents>>
  readonly #flows: FlowProducer

  constructor(redis: RedisServer, worker: WorkerProcess) {
    this.#redis = redis
    this.#worker = worker
    const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null }
    this.#noop = new Queue('noop', { connection })
    this.#flows = new FlowProducer({ connection })
    this.#events = {
      noop: new QueueEvents('noop', { connection }),
      chord: new QueueEvents('chord', { connection }),
      chain: new QueueEvents('chain', { connection }),
    }
  }

  async ready(): Promise<void> {
    await this.#noop.waitUntilReady()
    for (const events of Object.values(this.#events)) await events.waitUntilReady()
  }

  async runBulk(count: number): Promise<void> {
    const before = await this.#noop.getCompletedCount()
    for (let from = 0; from < count; from += CHUNK) {
      const size = Math.min(CHUNK, count - from)
      await this.#noop.addBulk(Array.from({ length: size }, (_, k) => ({ name: 'noop', data: benchInput(from + k) })))
    }
    await this.#completed(before + count)
  }

  async runEach(count: number, inflightMax: number): Promise<void> {
    const before = await this.#noop.getCompletedCount()
    await inflight(count, inflightMax, async (i) => void (await this.#noop.add('noop', benchInput(i))))
    await this.#completed(before + count)
  }

  async roundTrips(count: number): Promise<number[]> {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const start = performance.now()
      const job = await this.#noop.add('noop', benchInput(i))
      await job.waitUntilFinished(this.#events.noop)
      times.push(performance.now() - start)
    }
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.stop()
    await Promise.all([
      this.#noop.close(),
      this.#flows.close(),
      ...Object.values(this.#events).map((events) => events.close()),
    ])
    await this.#redis.stop()
  }

  async #completed(count: number): Promise<void> {
    while ((await this.#noop.getCompletedCount()) < count) await sleep(LOOK_MS)
  }

  async verify(): Promise<void> {
    const [sample] = await this.#noop.getCompleted(0, 0)
    assert.equal(sample?.returnvalue?.ok, true)
  }
}
