import { NonRetryableError } from '../../errors.ts'
import type { Flow } from '../../flow/flow.ts'
import { type JobContext, type Task, task } from '../../task/task.ts'
import { type AnyTask, type Workflow, workflow } from '../../task/workflow.ts'
import type { Ledger } from './ledger.ts'
import type { SimulatedProcess, World } from './world.ts'

/** One task's work: doubles a number, after a while, with the troubles that it is told to have. */
export type Work = {
  readonly value: number
  readonly ms: number
  /** It throws so often before it succeeds; 99: it throws for good. */
  readonly throws: number
  /** Whether it looks at its signal. */
  readonly stubborn: boolean
}

export type Op =
  | { readonly op: 'call'; readonly work: Work }
  | { readonly op: 'flow'; readonly ops: readonly Op[] }
  | { readonly op: 'map'; readonly works: readonly Work[]; readonly concurrency?: number; readonly collect: boolean }
  | { readonly op: 'mapFlows'; readonly flows: readonly (readonly Op[])[]; readonly collect: boolean }
  | { readonly op: 'all'; readonly branches: readonly Op[] }
  | { readonly op: 'race'; readonly branches: readonly Op[] }
  | { readonly op: 'step'; readonly value: number; readonly ms: number; readonly throws: boolean }
  | { readonly op: 'sleep'; readonly ms: number }
  | { readonly op: 'draw' }
  | { readonly op: 'start'; readonly work: Work }
  | { readonly op: 'leave'; readonly work: Work }
  | { readonly op: 'try'; readonly body: Op }

export type Result = number | string | readonly Result[]

export const FAILED_FOR_GOOD = 99

/** What an op gives when nothing is cancelled and no job is given up; undefined: it throws. */
export function expected(op: Op): Result | undefined {
  switch (op.op) {
    case 'call':
      return expectedWork(op.work)
    case 'flow':
      return expectedAll(op.ops)
    case 'map':
      return op.collect ? op.works.map((work) => expectedWork(work) ?? 'failed') : allOrNone(op.works.map(expectedWork))
    case 'mapFlows':
      return op.collect ? op.flows.map((ops) => expectedAll(ops) ?? 'failed') : allOrNone(op.flows.map(expectedAll))
    case 'all':
      return allOrNone(op.branches.map(expected))
    case 'race':
      return 'raced'
    case 'step':
      return op.throws ? undefined : op.value + 1
    case 'sleep':
      return 'slept'
    case 'draw':
      return 'drawn'
    case 'start':
      return 'started'
    case 'leave':
      return 'left'
    case 'try':
      return expected(op.body) ?? 'caught'
  }
}

export function expectedAll(ops: readonly Op[]): Result | undefined {
  return allOrNone(ops.map(expected))
}

export function expectedWork(work: Work): number | undefined {
  return work.throws >= FAILED_FOR_GOOD ? undefined : work.value * 2
}

function allOrNone(results: readonly (Result | undefined)[]): readonly Result[] | undefined {
  return results.includes(undefined) ? undefined : (results as readonly Result[])
}

/** Draws a workflow's program. @param depth how many levels of workflows may still nest */
export function drawProgram(world: World, depth: number): readonly Op[] {
  return Array.from({ length: world.between(1, 4) }, () => drawOp(world, depth))
}

function drawOp(world: World, depth: number): Op {
  const kind = world.pick([
    'call',
    'call',
    'map',
    'map',
    'all',
    'all',
    'race',
    'step',
    'step',
    'sleep',
    'draw',
    'start',
    'leave',
    'try',
    'flow',
    'mapFlows',
  ] as const)
  switch (kind) {
    case 'call':
    case 'start':
    case 'leave':
      return { op: kind, work: drawWork(world) }
    case 'map': {
      const works = Array.from({ length: world.between(0, 7) }, () => drawWork(world))
      const concurrency = world.between(0, 3)
      return { op: 'map', works, collect: world.chance(0.5), ...(concurrency > 0 && { concurrency }) }
    }
    case 'all':
    case 'race': {
      if (depth <= 0) return { op: 'step', value: 1, ms: 0, throws: false }
      return { op: kind, branches: Array.from({ length: world.between(2, 3) }, () => drawOp(world, depth - 1)) }
    }
    case 'step':
      return {
        op: 'step',
        value: world.between(0, 99),
        ms: world.between(0, 1) * world.between(1, 900),
        throws: world.chance(0.1),
      }
    case 'sleep':
      return { op: 'sleep', ms: world.between(0, 3_000) }
    case 'draw':
      return { op: 'draw' }
    case 'try':
      return { op: 'try', body: drawOp(world, depth) }
    case 'flow':
      return depth <= 0 ? { op: 'draw' } : { op: 'flow', ops: drawProgram(world, depth - 1) }
    case 'mapFlows': {
      if (depth <= 0) return { op: 'draw' }
      const flows = Array.from({ length: world.between(1, 3) }, () => drawProgram(world, depth - 1))
      return { op: 'mapFlows', flows, collect: world.chance(0.5) }
    }
  }
}

export function drawWork(world: World): Work {
  const throws = world.pick([0, 0, 0, 0, 0, 0, 1, 2, FAILED_FOR_GOOD])
  const ms = world.chance(0.5) ? 0 : world.between(1, 2_500)
  return { value: world.between(1, 99), ms, throws, stubborn: world.chance(0.1) }
}

/** The tasks as one process knows them; they all live on its clock, and die with it. */
export function simulatedTasks(
  process: SimulatedProcess,
  ledger: Ledger,
): {
  readonly work: Task<Work, number>
  readonly program: Workflow<readonly Op[], readonly Result[]>
  readonly all: readonly AnyTask[]
} {
  const work = task<Work, number>({
    name: 'work',
    retry: { attempts: 4, delayMs: 150, delayMsMax: 1_000 },
    graceMs: 1_000,
    run: (input, job) => doWork(process, ledger, input, job),
  })
  const program: Workflow<readonly Op[], readonly Result[]> = workflow({
    name: 'program',
    queue: 'flows',
    run: (ops, flow) => new Interpreter({ process, ledger, flow, work, program: () => program }).runAll(ops),
  })
  return { work, program, all: [work, program] }
}

async function doWork(process: SimulatedProcess, ledger: Ledger, work: Work, job: JobContext): Promise<number> {
  job.progress(0, 'begun')
  if (work.ms > 0)
    await Promise.race([process.sleep(work.ms), work.stubborn ? new Promise(() => {}) : aborted(job.signal)])
  job.log('info', `doubling ${work.value}`)
  if (work.throws >= FAILED_FOR_GOOD) throw new NonRetryableError('It never works.')
  if (ledger.throwsSoFar(job.id) < work.throws) {
    ledger.threw(job.id)
    throw new Error('It does not work yet.')
  }
  ledger.effects.push({ jobId: job.id, attempt: job.attempt })
  return work.value * 2
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}

type Parts = {
  readonly process: SimulatedProcess
  readonly ledger: Ledger
  readonly flow: Flow
  readonly work: Task<Work, number>
  program(): Workflow<readonly Op[], readonly Result[]>
}

/** Runs a program by `flow`, and checks on the way that a replay sees what the first run saw. */
class Interpreter {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async runAll(ops: readonly Op[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const [index, op] of ops.entries()) results.push(await this.#run(op, `${index}`))
    return results
  }

  async #run(op: Op, path: string): Promise<Result> {
    const { flow, work, program } = this.#parts
    switch (op.op) {
      case 'call':
        return flow.call(work, op.work)
      case 'flow':
        return flow.call(program(), op.ops)
      case 'map':
        return this.#map(op)
      case 'mapFlows': {
        if (!op.collect) return flow.map(program(), op.flows)
        const outcomes = await flow.map(program(), op.flows, { onFailure: 'collect' })
        return outcomes.map((outcome) => (outcome.ok ? outcome.value : 'failed'))
      }
      case 'all':
        return this.#all(op.branches, path)
      case 'race':
        return this.#race(op.branches, path)
      case 'step':
        return this.#step(path, async () => {
          if (op.ms > 0) await this.#parts.process.sleep(op.ms)
          if (op.throws) throw new Error('The step does not work.')
          return op.value + 1
        })
      case 'sleep':
        await flow.sleep(op.ms)
        return 'slept'
      case 'draw':
        await this.#note(path, [flow.random(), flow.uuid(), await flow.now()])
        return 'drawn'
      case 'start':
        await this.#note(path, await flow.start(work, op.work))
        return 'started'
      case 'leave':
        void flow.call(work, op.work)
        return 'left'
      case 'try':
        try {
          return await this.#run(op.body, `${path}.try`)
        } catch {
          return 'caught'
        }
    }
  }

  async #map(op: Extract<Op, { op: 'map' }>): Promise<Result> {
    const { flow, work } = this.#parts
    const options = op.concurrency === undefined ? {} : { concurrency: op.concurrency }
    if (!op.collect) return flow.map(work, op.works, options)
    const outcomes = await flow.map(work, op.works, { ...options, onFailure: 'collect' })
    return outcomes.map((outcome) => (outcome.ok ? outcome.value : 'failed'))
  }

  async #all(branches: readonly Op[], path: string): Promise<Result> {
    const order: number[] = []
    const running = branches.map(async (branch, index) => {
      const result = await this.#run(branch, `${path}.${index}`)
      order.push(index)
      return result
    })
    const results = await this.#parts.flow.all(running)
    await this.#note(`${path}.order`, order)
    return results
  }

  async #race(branches: readonly Op[], path: string): Promise<Result> {
    const running = branches.map((branch, index) =>
      this.#run(branch, `${path}.${index}`).then(
        () => index,
        () => -index - 1,
      ),
    )
    await this.#note(`${path}.winner`, await Promise.race(running))
    return 'raced'
  }

  /** Records what this run saw; a later run must have seen the same by the time it gets here. */
  async #note(path: string, seen: unknown): Promise<void> {
    const noted = await this.#step(path, async () => seen)
    if (JSON.stringify(noted) !== JSON.stringify(seen)) {
      const was = JSON.stringify(noted)
      this.#parts.ledger.violation(
        `job ${this.#parts.flow.id}: ${path} was ${was}, and is ${JSON.stringify(seen)} on replay`,
      )
    }
  }

  #step<T>(path: string, fn: () => Promise<T>): Promise<T> {
    const { flow, ledger, process } = this.#parts
    return flow.step(path, () => {
      ledger.runsStep(process, flow.id, path)
      return fn()
    })
  }
}
