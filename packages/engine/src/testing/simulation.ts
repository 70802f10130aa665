import { createHash } from 'node:crypto'
import { createEngine, type Engine } from '../engine.ts'
import { seededRandom } from '../flow/seeded-random.ts'
import type { JobId } from '../job/job.ts'
import type { CancelOutcome, Commit, CommitResult, JobEvent, Store } from '../store/store.ts'
import type { Worker } from '../worker/supervised-worker.ts'
import { type Aftermath, checkPromises, readAftermath } from './simulation/check.ts'
import { type Faults, faultyStore, HintBus, NO_FAULTS } from './simulation/faulty-store.ts'
import { Ledger } from './simulation/ledger.ts'
import { drawProgram, drawWork, simulatedTasks } from './simulation/workload.ts'
import { type SimulatedProcess, World } from './simulation/world.ts'

export type { SimulatedProcess } from './simulation/world.ts'

export type SimulationOptions = {
  readonly seed: number
  /** Opens the one shared store for one more process, on that process's clock. */
  open(process: SimulatedProcess): Promise<Store>
}

export type SimulationReport = {
  readonly seed: number
  /** What was promised and not kept, in words; empty when all is well. */
  readonly broken: readonly string[]
  /** Of all events in their order: the same for the same seed. */
  readonly hash: string
  readonly jobs: number
  readonly events: number
  readonly simulatedMs: number
  readonly counts: Readonly<Record<string, number>>
}

const CHAOS_MS = 30_000
/** After the faults have stopped, everything has to end within this. */
const CALM_MS = 600_000
const LEASE_MS = 4_000

/**
 * Runs the real engine on a real store, in simulated time, with everything going wrong that can: processes killed and
 * frozen, hints lost, commits delayed, refused, or applied without an answer. Then it lets the faults stop, waits for
 * everything to end, and checks the promises of DESIGN.md 4.2 from the store's history.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  return new Simulation(options).run()
}

type Booted = { readonly process: SimulatedProcess; readonly store: Store; readonly engine: Engine; workers: Worker[] }

class Simulation {
  readonly #options: SimulationOptions
  readonly #world: World
  readonly #ledger = new Ledger()
  readonly #bus: HintBus
  readonly #stores: Store[] = []
  readonly #machines: Booted[] = []
  readonly #counts = { kills: 0, pauses: 0, stops: 0, cancels: 0 }
  #faults: Faults
  #submitting = 0
  /** Nobody may die or freeze any more. */
  #isCalm = false
  #allEnded = false

  constructor(options: SimulationOptions) {
    this.#options = options
    this.#world = new World(seededRandom(`simulation ${options.seed}`))
    this.#faults = this.#drawFaults()
    this.#bus = new HintBus(this.#world, () => this.#faults)
  }

  async run(): Promise<SimulationReport> {
    const world = this.#world
    const start = world.now
    const harm = this.#begin()
    await world.run(() => false, start + CHAOS_MS)
    await harm
    const calm = this.#calmDown()
    await world.run(() => this.#allEnded, world.now + CALM_MS)
    const { store } = await calm
    const aftermath = await readAftermath(store, this.#ledger)
    const broken = await checkPromises(aftermath)
    if (this.#submitting > 0) broken.push(`${this.#submitting} submissions never came to an end`)
    const simulatedMs = world.now - start
    await this.#close()
    return this.#report(aftermath, broken, simulatedMs)
  }

  #report({ history }: Aftermath, broken: readonly string[], simulatedMs: number): SimulationReport {
    const { seed } = this.#options
    const { jobs, events } = history
    const counts = { ...this.#counts, ...this.#ledger.counts }
    return { seed, broken, hash: hashOf(events), jobs: jobs.length, events: events.length, simulatedMs, counts }
  }

  // Each seed has a character of its own: some worlds lose every hint, others are only slow.
  #drawFaults(): Faults {
    const world = this.#world
    const one = (high: number) => (world.chance(0.3) ? 0 : world.random() * high)
    return {
      slow: one(0.1),
      failBefore: one(0.1),
      failAfter: one(0.1),
      hintLost: world.chance(0.15) ? 1 : one(0.5),
      hintLateMs: world.between(0, 200),
    }
  }

  async #begin(): Promise<void> {
    const client = await this.#boot('client')
    for (let index = this.#world.between(2, 4); index > 0; index--) await this.#bootWorker()
    this.#submitAll(client)
    this.#wreakHavoc()
  }

  async #boot(name: string): Promise<Booted> {
    const world = this.#world
    const process = world.process(name)
    const opened = await this.#options.open(process)
    this.#stores.push(opened)
    const store = faultyStore({
      store: opened,
      process,
      world,
      faults: () => this.#faults,
      bus: this.#bus,
      observe: (by, method, args, result) => this.#observe(opened, by, method, args, result),
    })
    // Now and then a process comes that knows less than the others, as in the middle of a deployment.
    const isOld = name === 'worker' && world.chance(0.1) && !this.#isCalm
    const tasks = isOld ? [] : simulatedTasks(process, this.#ledger).all
    const engine = createEngine({ store, tasks, random: world.random, report: () => {} })
    return { process, store, engine, workers: [] }
  }

  #observe(store: Store, process: SimulatedProcess, method: string, args: readonly unknown[], result: unknown): void {
    // The proxy passes on what the Store interface says of each method.
    if (method === 'commit') this.#ledger.committed(process, args[0] as Commit, result as CommitResult)
    if (method === 'cancel') this.#ledger.cancelled(args[0] as JobId, result as CancelOutcome, store.lastCursor())
  }

  async #bootWorker(): Promise<void> {
    const booted = await this.#boot('worker')
    this.#machines.push(booted)
    for (let index = this.#world.between(1, 2); index > 0; index--) void this.#startWorker(booted)
  }

  async #startWorker(booted: Booted): Promise<void> {
    const queues = { default: this.#world.between(1, 4), flows: this.#world.between(1, 3) }
    for (;;) {
      try {
        booted.workers.push(await booted.engine.startWorker({ queues, leaseMs: LEASE_MS }))
        return
      } catch {
        await booted.process.sleep(500)
      }
    }
  }

  #submitAll(client: Booted): void {
    const world = this.#world
    for (let index = world.between(6, 14); index > 0; index--) {
      this.#submitting++
      client.process.clock.setTimeout(() => void this.#submit(client, `key-${index}`), world.between(0, CHAOS_MS * 0.8))
    }
  }

  /** Submits with a key, as often as it takes; whatever the store answered, it is one job. */
  async #submit({ process, engine }: Booted, idempotencyKey: string): Promise<void> {
    const world = this.#world
    const isFlow = world.chance(0.75)
    const input = isFlow ? drawProgram(world, 2) : drawWork(world)
    const options = {
      idempotencyKey,
      priority: world.between(-2, 2),
      ...(world.chance(0.2) && { delayMs: world.between(0, 5_000) }),
      ...(world.chance(0.1) && { deadlineMs: world.between(1_000, 20_000) }),
    }
    const ids = new Set<JobId>()
    const times = world.chance(0.2) ? 3 : 1
    while (ids.size === 0 || world.chance(1 - 1 / times)) {
      try {
        ids.add((await engine.submit(isFlow ? 'program' : 'work', input, options)).id)
      } catch {
        await process.sleep(world.between(50, 1_000))
      }
    }
    for (const id of ids) this.#ledger.accepted.push({ id, key: idempotencyKey })
    this.#submitting--
    if (world.chance(0.15)) await this.#cancelLater(engine, process, world.pick([...ids]))
  }

  async #cancelLater(engine: Engine, process: SimulatedProcess, id: JobId): Promise<void> {
    await process.sleep(this.#world.between(0, 8_000))
    this.#counts.cancels++
    for (;;) {
      try {
        await engine.cancel(id, 'It was cancelled by the simulation.')
        return
      } catch {
        await process.sleep(this.#world.between(50, 1_000))
      }
    }
  }

  /** From now on something bad happens every few seconds. */
  #wreakHavoc(): void {
    const demon = this.#world.process('demon')
    const next = () => {
      if (this.#isCalm) return
      void this.#doHarm(demon)
      demon.clock.setTimeout(next, this.#world.between(200, 4_000))
    }
    demon.clock.setTimeout(next, this.#world.between(0, 3_000))
  }

  async #doHarm(demon: SimulatedProcess): Promise<void> {
    const world = this.#world
    const living = this.#machines.filter(({ process }) => process.isAlive)
    const harm = world.pick(['kill', 'kill', 'pause', 'pause', 'stop', 'cancel'] as const)
    if (harm === 'cancel') return this.#cancelSomething(demon)
    if (living.length === 0) return
    const victim = world.pick(living)
    if (harm === 'kill') this.#kill(victim)
    if (harm === 'pause') {
      this.#counts.pauses++
      victim.process.pausedUntil = world.now + world.between(100, LEASE_MS * 3)
      return
    }
    if (harm === 'stop') await this.#stop(victim)
    await demon.sleep(world.between(0, 3_000))
    if (!this.#isCalm) await this.#bootWorker()
  }

  #kill({ process, workers }: Booted): void {
    this.#counts.kills++
    if (this.#world.chance(0.3)) for (const worker of workers) worker.kill()
    process.isUnreachable = this.#world.chance(0.3)
    process.isAlive = false
  }

  async #stop(booted: Booted): Promise<void> {
    this.#counts.stops++
    const workers = booted.workers.splice(0)
    await Promise.all(workers.map((worker) => worker.stop({ graceMs: this.#world.between(0, 3_000) }).catch(() => {})))
    await booted.store[Symbol.asyncDispose]()
    booted.process.isAlive = false
  }

  async #cancelSomething(demon: SimulatedProcess): Promise<void> {
    const { seen } = this.#ledger
    const living = this.#machines.filter(({ process }) => process.isAlive)
    if (seen.length === 0 || living.length === 0) return
    await this.#cancelLater(this.#world.pick(living).engine, demon, this.#world.pick(seen))
  }

  async #calmDown(): Promise<Booted> {
    this.#isCalm = true
    this.#faults = NO_FAULTS
    for (const process of this.#world.processes) process.pausedUntil = 0
    for (let index = 0; index < 2; index++) await this.#bootWorker()
    const watcher = await this.#boot('watcher')
    this.#watch(watcher)
    return watcher
  }

  #watch({ process, store }: Booted): void {
    const look = async () => {
      const queues = await store.queues()
      const left = queues.reduce((sum, { waiting, scheduled, running }) => sum + waiting + scheduled + running, 0)
      this.#allEnded = left === 0 && this.#submitting === 0
      if (!this.#allEnded) process.clock.setTimeout(() => void look(), 1_000)
    }
    void look()
  }

  async #close(): Promise<void> {
    await this.#world.end()
    for (const store of this.#stores) await store[Symbol.asyncDispose]()
  }
}

function hashOf(events: readonly JobEvent[]): string {
  const hash = createHash('sha256')
  for (const { cursor, jobId, kind, attempt, at, data } of events) {
    // Stacks name files and lines, which are not the world's doing.
    const text = JSON.stringify(data, (key, value) => (key === 'stack' ? undefined : value))
    hash.update(`${cursor} ${jobId} ${kind} ${attempt} ${at} ${text}\n`)
  }
  return hash.digest('hex')
}
