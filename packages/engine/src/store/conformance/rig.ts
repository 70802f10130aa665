import assert from 'node:assert/strict'
import { seededRandom } from '../../flow/seeded-random.ts'
import { createIds, type Ids } from '../../job/ids.ts'
import type { JobId, WorkerId } from '../../job/job.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import type {
  Advance,
  Claimed,
  Commit,
  CommitResult,
  Hint,
  Lease,
  NewJob,
  NewStep,
  Settlement,
  Store,
  Told,
  WorkerInfo,
} from '../store.ts'

/** Opens a store; stores opened with the same `place` share their jobs, and each opening is like a process of its own. */
export type OpenStore = (clock: ManualClock, options?: { readonly place?: string }) => Promise<Store>

export const ERROR = { code: 'task_threw', message: 'It broke.' } as const

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
export type Ended = Without<Settlement, 'lease'>

let places = 0

/** A store on a clock that stands still, and short ways to say what the tests say most. */
export class Rig implements AsyncDisposable {
  readonly clock: ManualClock
  readonly store: Store
  readonly #open: OpenStore
  readonly place: string
  readonly #ids: Ids

  private constructor(open: OpenStore, place: string, clock: ManualClock, store: Store, ids: Ids) {
    this.#open = open
    this.place = place
    this.clock = clock
    this.store = store
    this.#ids = ids
  }

  static async open(open: OpenStore): Promise<Rig> {
    const clock = new ManualClock('2030-01-01T00:00:00Z')
    const place = `place-${++places}`
    const ids = createIds(clock, seededRandom(place))
    return new Rig(open, place, clock, await open(clock, { place }), ids)
  }

  /** The same jobs, seen by another process. */
  async neighbour(): Promise<Rig> {
    return new Rig(this.#open, this.place, this.clock, await this.#open(this.clock, { place: this.place }), this.#ids)
  }

  /** The same jobs, seen by a process whose own time stands still: it renews no lease while the others' time goes on. */
  async frozen(): Promise<Rig> {
    const clock = new ManualClock(this.clock.now())
    return new Rig(this.#open, this.place, clock, await this.#open(clock, { place: this.place }), this.#ids)
  }

  /** Time goes by until every lease that is not renewed has lapsed, and the jobs are taken back. */
  async lapse(leaseMs: number): Promise<void> {
    this.clock.advance({ ms: leaseMs + 1 })
    await this.store.sweep()
  }

  job(over: Partial<NewJob> = {}): NewJob {
    return {
      id: this.#ids.job(),
      task: 'render',
      kind: 'task',
      queue: 'tiles',
      priority: 0,
      input: '{"zoom":3}',
      ...over,
    }
  }

  async enqueue(over: Partial<NewJob> = {}): Promise<JobId> {
    const job = this.job(over)
    const [enqueued] = await this.store.enqueue([job])
    assert.equal(enqueued?.outcome, 'created')
    return job.id
  }

  /** @param tasks the ones that it knows; any when left out */
  worker(name = 'ada', leaseMs = 30_000, tasks?: readonly string[]): Promise<Hand> {
    return this.workerWith({ name, leaseMs, ...(tasks !== undefined && { tasks }) })
  }

  async workerWith(over: Partial<WorkerInfo>): Promise<Hand> {
    const id = this.#ids.worker()
    const hand = new Hand(this.store, id)
    const info = { id, name: 'ada', queues: { tiles: 10 }, leaseMs: 30_000, ...over }
    await this.store.addWorker(info, (reason) => hand.lost.push(reason))
    return hand
  }

  /** A claimed workflow with its worker. */
  async workflow(over: Partial<NewJob> = {}): Promise<{ hand: Hand; lease: Lease; id: JobId }> {
    const id = await this.enqueue({ task: 'survey', kind: 'workflow', queue: 'flows', ...over })
    const hand = await this.worker()
    const { lease } = await hand.claimOne('flows')
    return { hand, lease, id }
  }

  async state(id: JobId): Promise<string | undefined> {
    return (await this.store.job(id))?.state
  }

  async kinds(id: JobId): Promise<string[]> {
    const events = await this.store.events({ after: 0, limit: 1_000, jobId: id })
    return events.map(({ kind, data }) => (kind === 'ended' ? `ended ${data.state}` : kind))
  }

  hints(): Hint[] & Disposable {
    const hints: Hint[] = []
    const watching = this.store.watch((hint) => hints.push(hint))
    return Object.assign(hints, { [Symbol.dispose]: () => watching[Symbol.dispose]() })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]()
  }
}

/** One worker, speaking to the store. */
export class Hand {
  readonly id: WorkerId
  readonly lost: string[] = []
  readonly #store: Store

  constructor(store: Store, id: WorkerId) {
    this.#store = store
    this.id = id
  }

  commit(batch: Partial<Commit>): Promise<CommitResult> {
    return this.#store.commit({ settle: [], advance: [], tell: [], claim: [], ...batch, worker: this.id })
  }

  async claim(queue = 'tiles', slots = 10): Promise<readonly Claimed[]> {
    return (await this.commit({ claim: [{ queue, slots }] })).claimed
  }

  async claimOne(queue = 'tiles'): Promise<Claimed> {
    const [claimed] = await this.claim(queue, 1)
    assert.ok(claimed, `a job of queue ${queue} was to be claimed`)
    return claimed
  }

  async settle(lease: Lease, ended: Ended): Promise<CommitResult['settled'][number]> {
    return only((await this.commit({ settle: [{ lease, ...ended } as Settlement] })).settled)
  }

  succeed(lease: Lease, result = 'null'): Promise<CommitResult['settled'][number]> {
    return this.settle(lease, { outcome: 'succeeded', result })
  }

  fail(lease: Lease): Promise<CommitResult['settled'][number]> {
    return this.settle(lease, { outcome: 'failed', error: ERROR })
  }

  async advance(lease: Lease, ...steps: readonly NewStep[]): Promise<CommitResult['advanced'][number]> {
    return only((await this.commit({ advance: [{ lease, steps } satisfies Advance] })).advanced)
  }

  async tell(told: Told): Promise<void> {
    await this.commit({ tell: [told] })
  }
}

function only<T>(answers: readonly T[]): T {
  assert.equal(answers.length, 1)
  return answers[0] as T
}

/** A step that brings no children. */
export function step(number: number, over: Partial<NewStep> = {}): NewStep {
  return { step: number, kind: 'step', name: `step-${number}`, value: '1', delivered: [], deliveredFrom: 0, ...over }
}

/** A step with its children: a `call` where there is one and no policy, else a `map`. */
export function children(number: number, jobs: readonly NewJob[], over: Partial<NewStep> = {}): NewStep {
  const kind = over.kind ?? (over.policy === undefined ? 'call' : 'map')
  const name = jobs[0]?.task ?? 'render'
  return { step: number, kind, name, children: jobs, attached: true, delivered: [], deliveredFrom: 0, ...over }
}
