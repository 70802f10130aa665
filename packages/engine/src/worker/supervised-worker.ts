import { availableParallelism, totalmem } from 'node:os'
import type { Ids } from '../job/ids.ts'
import type { WorkerId } from '../job/job.ts'
import type { Resources } from '../routing/resources.ts'
import { checkDeployment, checkLabels, checkResources } from '../task/check-options.ts'
import type { AnyTask } from '../task/workflow.ts'
import { drainGraceMs, forgetDrain } from './drain.ts'
import { JobWorker, type WorkerParts } from './worker.ts'

export type WorkerOptions = {
  /** Slots by queue. Default: every queue that a known task names, with `concurrency` slots each. */
  readonly queues?: Readonly<Record<string, number>>
  /** Default 10. */
  readonly concurrency?: number
  /** For people. Default: the beginning of its id. */
  readonly name?: string
  /** The stack that it belongs to: it takes jobs of no other. Default: the engine's. */
  readonly deployment?: string
  /** What jobs may ask for: `gpu`, `region=eu`. */
  readonly labels?: readonly string[]
  /** What jobs may need of it in all. Default: the cores and the memory of its machine. */
  readonly offers?: Resources
  /** How long the worker is believed to live without a renewal. Default 15,000. */
  readonly leaseMs?: number
  /** So many resting workflows are kept in memory; the others rest in the store. Default 1,000. */
  readonly residentMax?: number
  /** A workflow that rests longer than this rests in the store, and in nobody's memory. Default 60,000. */
  readonly residentMs?: number
}

export interface Worker {
  readonly id: WorkerId
  /** Takes no more jobs, gives what runs `graceMs` to end, hands the rest back unharmed. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
  /** It has stopped, by `stop` or because `engine.drainWorker` asked for it. Not after `kill`. */
  readonly stopped: Promise<void>
  /** For simulations: as if its process had been killed. */
  kill(): void
}

const CONCURRENCY = 10
const LEASE_MS = 15_000
const RESIDENT_MAX = 1_000
const RESIDENT_MS = 60_000
/** Before it comes back after it lost its lease, so that a struggling machine gets some air. */
const COMEBACK_MS = 1_000

/** What its workers are made of, and the engine's deployment. */
export type SupervisedParts = WorkerParts & { readonly deployment: string | undefined }

/** A worker that comes back under a new id when it loses its lease. */
export class SupervisedWorker implements Worker {
  readonly #ids: Ids
  readonly #options: WorkerOptions
  readonly #parts: SupervisedParts
  #current: JobWorker
  readonly #stopped = Promise.withResolvers<void>()
  #stopping: Promise<void> | undefined
  #isStopped = false

  constructor(ids: Ids, options: WorkerOptions, parts: SupervisedParts) {
    this.#ids = ids
    this.#options = options
    this.#parts = parts
    checkTraits(options)
    this.#current = this.#make()
  }

  get id(): WorkerId {
    return this.#current.id
  }

  get stopped(): Promise<void> {
    return this.#stopped.promise
  }

  start(): Promise<void> {
    return this.#current.start()
  }

  async stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#isStopped = true
    this.#stopping ??= this.#current.stop(options.graceMs)
    await this.#stopping
    this.#stopped.resolve()
  }

  kill(): void {
    this.#isStopped = true
    this.#current.kill()
  }

  #make(): JobWorker {
    const id = this.#ids.worker()
    const { tasks } = this.#parts
    const { deployment = this.#parts.deployment, labels, offers = machineOffers() } = this.#options
    const worker = new JobWorker(
      {
        id,
        name: this.#options.name ?? `worker-${id.slice(-6)}`,
        queues: this.#options.queues ?? queuesOf(tasks.values(), this.#options.concurrency ?? CONCURRENCY),
        leaseMs: this.#options.leaseMs ?? LEASE_MS,
        residentMax: this.#options.residentMax ?? RESIDENT_MAX,
        residentMs: this.#options.residentMs ?? RESIDENT_MS,
        offers,
        ...(deployment !== undefined && { deployment }),
        ...(labels !== undefined && { labels }),
      },
      this.#parts,
    )
    // Whatever is said of one that was lost before concerns the present one no more.
    worker.onLost = () => {
      if (worker === this.#current) this.#comeBack()
    }
    worker.onDrain = () => void this.#drain(id)
    return worker
  }

  async #drain(id: WorkerId): Promise<void> {
    const { store, report } = this.#parts
    // Where it cannot be read now, the next sweep finds it again.
    const graceMs = await drainGraceMs(store, id).catch(() => undefined)
    if (graceMs === undefined || this.#isStopped) return
    await this.stop({ graceMs })
    await forgetDrain(store, id).catch((error) => report(`That worker ${id} was drained could not be noted.`, error))
  }

  #comeBack(): void {
    if (this.#isStopped) return
    this.#current.kill()
    this.#parts.clock.setTimeout(() => void this.#begin(), COMEBACK_MS)
  }

  async #begin(): Promise<void> {
    if (this.#isStopped) return
    this.#current = this.#make()
    try {
      await this.#current.start()
    } catch (error) {
      this.#parts.report('The worker could not come back; it is tried again.', error)
      this.#comeBack()
    }
  }
}

function queuesOf(tasks: Iterable<AnyTask>, concurrency: number): Record<string, number> {
  const queues: Record<string, number> = { default: concurrency }
  for (const { queue } of tasks) if (queue !== undefined) queues[queue] = concurrency
  return queues
}

/** @throws {OptionInvalidError} before the worker is made known to anybody */
function checkTraits({ deployment, labels, offers }: WorkerOptions): void {
  if (deployment !== undefined) checkDeployment('deployment', deployment)
  if (labels !== undefined) checkLabels('labels', labels)
  if (offers !== undefined) checkResources('offers', offers, { min: 0 })
}

function machineOffers(): Resources {
  return { cpu: availableParallelism(), memoryMb: Math.floor(totalmem() / 2 ** 20) }
}
