import { NonRetryableError, SignalTimeoutError } from '../../errors.ts'
import type { Flow } from '../../flow/flow.ts'
import { type JobContext, type Task, task } from '../../task/task.ts'
import { type AnyTask, type Workflow, workflow } from '../../task/workflow.ts'
import type { Ledger } from './ledger.ts'
import {
  cachedResult,
  FAILED_FOR_GOOD,
  LIMIT_MAX,
  limitedResult,
  type Op,
  type Result,
  type SessionOp,
  type Work,
} from './program.ts'
import type { SimulatedProcess } from './world.ts'

/** How long a result of the task `cached` stands. */
const CACHED_MS = 5_000
/** The step that `onFailure` of a program records. */
export const ON_FAILURE = 'on-failure'

/** What programs call. */
type Callees = {
  readonly work: Task<Work, number>
  readonly limited: Task<number, number>
  readonly cached: Task<number, number>
}

/** The tasks as one process knows them; they all live on its clock, and die with it. */
export function simulatedTasks(process: SimulatedProcess, ledger: Ledger): readonly AnyTask[] {
  const callees = calleesOf(process, ledger)
  const program: Workflow<readonly Op[], readonly Result[]> = workflow({
    name: 'program',
    queue: 'flows',
    run: (ops, flow) => new Interpreter({ process, ledger, flow, callees, program: () => program }).runAll(ops),
    onFailure: (_, __, flow) => flow.step(ON_FAILURE, () => ledger.runsStep(process, flow.id, ON_FAILURE)),
  })
  const tick = task({ name: 'tick', run: () => 'ticked' })
  return [...Object.values(callees), tick, program]
}

function calleesOf(process: SimulatedProcess, ledger: Ledger): Callees {
  const work = task<Work, number>({
    name: 'work',
    retry: { attempts: 4, delayMs: 150, delayMsMax: 1_000 },
    graceMs: 1_000,
    run: (input, job) => doWork(process, ledger, input, job),
  })
  const limited = task<number, number>({
    name: 'limited',
    limit: (key) => ({ key: `limited:${key}`, max: LIMIT_MAX }),
    run: (key, job) => pause(process, key * 400, job).then(() => limitedResult(key)),
  })
  const cached = task<number, number>({
    name: 'cached',
    cache: { ttlMs: CACHED_MS },
    run: (value, job) => pause(process, value * 400, job).then(() => cachedResult(value)),
  })
  return { work, limited, cached }
}

async function pause(process: SimulatedProcess, ms: number, job: JobContext): Promise<void> {
  await Promise.race([process.sleep(ms), aborted(job.signal)])
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
  readonly callees: Callees
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
    const { flow, program, callees } = this.#parts
    const { work, limited, cached } = callees
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
      case 'limited':
        return flow.map(limited, op.keys)
      case 'cached':
        return flow.call(cached, op.value)
      case 'wait':
        return this.#wait(op.name, op.timeoutMs)
      case 'undo':
        return this.#undoable(path, op.ms)
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
      case 'session':
        return this.#session(op)
      case 'try':
        try {
          return await this.#run(op.body, `${path}.try`)
        } catch {
          return 'caught'
        }
    }
  }

  async #map(op: Extract<Op, { op: 'map' }>): Promise<Result> {
    const { flow, callees } = this.#parts
    const { work } = callees
    const options = op.concurrency === undefined ? {} : { concurrency: op.concurrency }
    if (!op.collect) return flow.map(work, op.works, options)
    const outcomes = await flow.map(work, op.works, { ...options, onFailure: 'collect' })
    return outcomes.map((outcome) => (outcome.ok ? outcome.value : 'failed'))
  }

  /** On the queue that all workers serve. */
  #session({ calls, group, flow: ops, left, restart }: SessionOp): Promise<Result> {
    const { flow, callees, program } = this.#parts
    const { work } = callees
    return flow.session<Result>(
      'default',
      async (s) => {
        if (left !== undefined) void s.start(work, left)
        const results: Result[] = []
        for (const one of calls) results.push(await s.call(work, one))
        results.push(await s.map(work, group))
        if (ops !== undefined) results.push(await s.call(program(), ops))
        return results
      },
      { onLost: restart ? 'restart' : 'fail', maxRestarts: 2 },
    )
  }

  async #wait(name: string, timeoutMs: number): Promise<Result> {
    try {
      await this.#parts.flow.waitFor(name, { timeoutMs })
    } catch (error) {
      if (!(error instanceof SignalTimeoutError)) throw error
    }
    return 'waited'
  }

  #undoable(path: string, ms: number): Promise<Result> {
    const { flow, ledger, process } = this.#parts
    const run = async () => {
      ledger.runsStep(process, flow.id, path)
      if (ms > 0) await process.sleep(ms)
      return 'done'
    }
    return flow.step(path, run, { compensate: () => {} })
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
        `replay-same: job ${this.#parts.flow.id}: ${path} was ${was}, and is ${JSON.stringify(seen)} on replay`,
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
