import { createHash } from 'node:crypto'
import { createEngine, type Engine } from '../engine.ts'
import type { JobId } from '../job/job.ts'
import { type ReadCron, schedule } from '../schedule/schedule.ts'
import type { CancelOutcome, Commit, CommitResult, JobEvent, Store } from '../store/store.ts'
import type { Worker } from '../worker/supervised-worker.ts'
import { type Aftermath, checkPromises, determinedOutcomes, readAftermath } from './simulation/check.ts'
import { faultyStore, HintBus, NO_FAULTS } from './simulation/faulty-store.ts'
import { Ledger } from './simulation/ledger.ts'
import { CHAOS_MS, drawPlan, type Harm, LEASE_MS, type Plan, type Submission } from './simulation/plan.ts'
import { simulatedTasks } from './simulation/tasks.ts'
import { type SimulatedProcess, World } from './simulation/world.ts'

export type { Plan } from './simulation/plan.ts'
export type { SimulatedProcess } from './simulation/world.ts'

/** Opens the one shared store for one more process, on that process's `storeClock`. */
export type OpenSimulated = ((process: SimulatedProcess) => Promise<Store>) & {
  /** What it saw that should not be. */
  readonly differences?: () => readonly string[]
}

export type SimulationOptions = { readonly open: OpenSimulated } & ({ readonly seed: number } | { readonly plan: Plan })

export type SimulationReport = {
  readonly plan: Plan
  /** What was promised and not kept, in words that begin with the rule's name; empty when all is well. */
  readonly broken: readonly string[]
  /** How those submissions ended that nothing came between: the same on every store. By key. */
  readonly outcomes: Readonly<Record<string, string>>
  /** Of all events in their order: the same for the same plan and store. */
  readonly hash: string
  readonly jobs: number
  readonly events: number
  readonly simulatedMs: number
  readonly counts: Readonly<Record<string, number>>
}

/** After the faults have stopped, everything has to end within this. */
const CALM_MS = 600_000
const SCHEDULE = 'ticks'
/** Where one answer differs, most of those after it do. */
const DIFFERENCES_MAX = 3

/**
 * Runs the real engine on a real store, in simulated time, with everything going wrong that can: processes killed, frozen
 * and cut off, clocks set, the disk full, hints lost, commits delayed, refused, repeated, or applied without an answer. Then it
 * lets the faults stop, waits for everything to end, and checks the promises of DESIGN.md 4.2 from the store's history.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const plan = 'plan' in options ? options.plan : drawPlan(options.seed)
  return new Simulation(plan, options.open).run()
}

type Booted = {
  readonly process: SimulatedProcess
  readonly store: Store
  readonly engine: Engine
  readonly workers: Worker[]
  /** Set once it was told to stop, which may take long. */
  stopping?: Promise<void>
}

class Simulation {
  readonly #plan: Plan
  readonly #open: OpenSimulated
  readonly #world: World
  readonly #ledger = new Ledger()
  readonly #bus: HintBus
  readonly #stores: Store[] = []
  readonly #machines: Booted[] = []
  readonly #counts: Record<string, number> = {}
  #faults: Plan['faults']
  #submitting = 0
  /** Nobody may die or freeze any more. */
  #isCalm = false
  #allEnded = false

  constructor(plan: Plan, open: OpenSimulated) {
    this.#plan = plan
    this.#open = open
    this.#world = new World(`simulation ${plan.seed}`)
    this.#faults = plan.faults
    this.#bus = new HintBus(() => this.#faults)
  }

  async run(): Promise<SimulationReport> {
    const world = this.#world
    const start = world.now
    const begun = this.#begin()
    await world.run(() => false, start + CHAOS_MS)
    await begun
    const calm = this.#calmDown()
    await world.run(() => this.#allEnded, world.now + CALM_MS)
    const { store } = await calm
    const simulatedMs = world.now - start
    const aftermath = await readAftermath(store, this.#ledger)
    const broken = await checkPromises(aftermath, this.#plan)
    if (this.#submitting > 0) broken.push(`submitted: ${this.#submitting} submissions never came to an end`)
    broken.push(...(this.#open.differences?.() ?? []).slice(0, DIFFERENCES_MAX))
    await this.#close()
    return this.#report(aftermath, broken, simulatedMs)
  }

  #report(aftermath: Aftermath, broken: readonly string[], simulatedMs: number): SimulationReport {
    const { jobs, events } = aftermath.history
    const counts = { ...this.#counts, ...this.#ledger.counts }
    const sizes = { jobs: jobs.length, events: events.length, simulatedMs, counts }
    return { plan: this.#plan, broken, outcomes: determinedOutcomes(aftermath), hash: hashOf(events), ...sizes }
  }

  async #begin(): Promise<void> {
    const client = await this.#boot('client')
    for (let index = 0; index < this.#plan.machines; index++) await this.#bootWorker()
    this.#submitting = this.#plan.submissions.length
    for (const submission of this.#plan.submissions)
      client.process.clock.setTimeout(() => void this.#submit(client, submission), submission.atMs)
    const demon = this.#world.process('demon')
    for (const harm of this.#plan.harms) demon.clock.setTimeout(() => void this.#doHarm(demon, harm), harm.atMs)
  }

  async #boot(name: string): Promise<Booted> {
    const world = this.#world
    const process = world.process(name)
    const opened = await this.#open(process)
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
    const isOld = name === 'worker' && process.dice.chance(0.1) && !this.#isCalm
    const tasks = isOld ? [] : simulatedTasks(process, this.#ledger)
    const { random } = process.dice
    const engine = createEngine({ store, tasks, random, report: () => {}, ...this.#schedules(name, isOld) })
    return { process, store, engine, workers: [] }
  }

  #schedules(name: string, isOld: boolean) {
    const { tickMs } = this.#plan
    if (tickMs === undefined || isOld || name !== 'worker') return {}
    const ticks = schedule({ name: SCHEDULE, task: 'tick', cron: `${tickMs}`, overlap: 'allow', catchUp: 'all' })
    // When calm has come no more of them are wanted.
    return { cron: readInterval, schedules: this.#isCalm ? [] : [ticks] }
  }

  #observe(store: Store, process: SimulatedProcess, method: string, args: readonly unknown[], result: unknown): void {
    // The proxy passes on what the Store interface says of each method.
    if (method === 'commit') this.#ledger.committed(process, args[0] as Commit, result as CommitResult)
    if (method !== 'cancel') return
    // A store that was closed meanwhile tells no cursor; then nothing is known of what came before or after.
    const cursor = store.lastCursor().catch(() => Number.POSITIVE_INFINITY)
    this.#ledger.cancelled(args[0] as JobId, result as CancelOutcome, cursor)
  }

  async #bootWorker(): Promise<void> {
    const booted = await this.#boot('worker')
    this.#machines.push(booted)
    for (let index = booted.process.dice.between(1, 2); index > 0; index--) void this.#startWorker(booted)
  }

  async #startWorker({ engine, process, workers }: Booted): Promise<void> {
    const { dice } = process
    const queues = { default: dice.between(1, 4), flows: dice.between(1, 3) }
    const resident = dice.chance(0.5) ? {} : { residentMax: dice.between(1, 3), residentMs: dice.between(100, 2_000) }
    for (;;) {
      try {
        workers.push(await engine.startWorker({ queues, leaseMs: LEASE_MS, ...resident }))
        return
      } catch {
        await process.sleep(500)
      }
    }
  }

  /** Submits with a key, as often as it takes; whatever the store answered, it is one job. */
  async #submit({ process, engine }: Booted, submission: Submission): Promise<void> {
    const { key: idempotencyKey, task, input, priority, times, delayMs, deadlineMs } = submission
    const options = {
      ...{ idempotencyKey, priority },
      ...(delayMs !== undefined && { delayMs }),
      ...(deadlineMs !== undefined && { deadlineMs }),
    }
    const ids: JobId[] = []
    while (ids.length < times) {
      try {
        ids.push((await engine.submit(task, input, options)).id)
      } catch {
        await process.sleep(process.dice.between(50, 1_000))
      }
    }
    for (const id of ids) this.#ledger.accepted.push({ id, key: idempotencyKey })
    this.#submitting--
    const [id] = ids
    if (id !== undefined) await this.#followUp(engine, process, id, submission)
  }

  async #followUp(
    engine: Engine,
    process: SimulatedProcess,
    id: JobId,
    { key, cancelMs, signals = [] }: Submission,
  ): Promise<void> {
    const sent = signals.map(async ({ name, afterMs }, index) => {
      await process.sleep(afterMs)
      await insist(process, () => engine.signal(id, name, index, { key: `${key}-${index}` }))
    })
    if (cancelMs !== undefined) {
      await process.sleep(cancelMs)
      await this.#cancel(engine, process, id)
    }
    await Promise.all(sent)
  }

  async #cancel(engine: Engine, process: SimulatedProcess, id: JobId): Promise<void> {
    this.#count('cancel')
    await insist(process, () => engine.cancel(id, 'It was cancelled by the simulation.'))
  }

  async #doHarm(demon: SimulatedProcess, harm: Harm): Promise<void> {
    const world = this.#world
    const living = this.#machines.filter(({ process }) => process.isAlive)
    const victim = living[Math.floor(harm.victim * living.length)]
    if (harm.harm !== 'cancel') this.#count(harm.harm)
    switch (harm.harm) {
      case 'jump':
        world.jumpedMs += harm.byMs
        return
      case 'full':
        world.fullUntil = world.now + harm.forMs
        return
      case 'cancel':
        return this.#cancelSomething(harm.victim, victim)
      case 'pause':
        if (victim !== undefined) victim.process.pausedUntil = world.now + harm.forMs
        return
      case 'cut':
        if (victim !== undefined) victim.process.cutOffUntil = world.now + harm.forMs
        return
      case 'skew':
        if (victim !== undefined) victim.process.skewMs = harm.byMs
        return
      case 'kill':
        if (victim !== undefined) kill(victim, harm.isUnreachable)
        return this.#comeBack(demon, harm.backMs)
      case 'stop':
        if (victim !== undefined) await stop(victim, harm.graceMs)
        return this.#comeBack(demon, harm.backMs)
    }
  }

  async #comeBack(demon: SimulatedProcess, afterMs: number): Promise<void> {
    await demon.sleep(afterMs)
    if (!this.#isCalm) await this.#bootWorker()
  }

  async #cancelSomething(place: number, by: Booted | undefined): Promise<void> {
    const { seen } = this.#ledger
    const id = seen[Math.floor(place * seen.length)]
    if (id !== undefined && by !== undefined) await this.#cancel(by.engine, by.process, id)
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
  }

  async #calmDown(): Promise<Booted> {
    this.#isCalm = true
    this.#faults = NO_FAULTS
    this.#world.calm()
    const watcher = await this.#boot('watcher')
    await watcher.store.schedules.pause(SCHEDULE, { paused: true, nextAt: undefined })
    for (let index = 0; index < 2; index++) await this.#bootWorker()
    this.#watch(watcher)
    return watcher
  }

  #watch({ process, store }: Booted): void {
    const look = async () => {
      const queues = await store.queues()
      const left = queues.reduce((sum, one) => sum + one.waiting + one.scheduled + one.running + one.blocked, 0)
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

/** Asks again until the store answers. */
async function insist(process: SimulatedProcess, ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await ask()
      return
    } catch (error) {
      const { code } = error as { readonly code?: unknown }
      // Anything else is an answer: there is nothing that could be signalled any more.
      if (code !== 'store_unavailable' && code !== 'store_full') return
      await process.sleep(process.dice.between(50, 1_000))
    }
  }
}

function kill({ process, workers }: Booted, isUnreachable: boolean): void {
  if (process.dice.chance(0.3)) for (const worker of workers) worker.kill()
  process.isUnreachable = isUnreachable
  process.isAlive = false
}

function stop(booted: Booted, graceMs: number): Promise<void> {
  booted.stopping ??= stopOnce(booted, graceMs)
  return booted.stopping
}

async function stopOnce(booted: Booted, graceMs: number): Promise<void> {
  const workers = booted.workers.splice(0)
  await Promise.all(workers.map((worker) => worker.stop({ graceMs }).catch(() => {})))
  await booted.store[Symbol.asyncDispose]()
  booted.process.isAlive = false
}

/** A calendar for schedules that are as simple as can be: so many milliseconds. */
const readInterval: ReadCron = (everyMs) => ({
  next: (after) => (Math.floor(after / Number(everyMs)) + 1) * Number(everyMs),
})

function hashOf(events: readonly JobEvent[]): string {
  const hash = createHash('sha256')
  for (const { cursor, jobId, kind, attempt, at, data } of events) {
    // Stacks name files and lines, which are not the world's doing.
    const text = JSON.stringify(data, (key, value) => (key === 'stack' ? undefined : value))
    hash.update(`${cursor} ${jobId} ${kind} ${attempt} ${at} ${text}\n`)
  }
  return hash.digest('hex')
}
