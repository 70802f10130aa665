import type { Clock, Timer } from '../clock/clock.ts'
import type { WorkerId } from '../job/job.ts'
import type { Store } from '../store/store.ts'

/** What runs on a worker that is drained has so long to end. */
export const DRAIN_GRACE_MS = 30_000
/** How soon a worker hears of it, at the latest. */
const LOOK_MS = 1_000

// A request is kept with the jobs, under the worker's id, until the worker has heard of it or is gone.
const NAMESPACE = 'drain'

export async function askToDrain(store: Store, worker: WorkerId, graceMs: number): Promise<void> {
  await forgetTheGone(store)
  await store.settings.put(NAMESPACE, worker, { graceMs })
}

/** The workers that are asked to stop, and still are there. */
export async function drainingWorkers(store: Store): Promise<ReadonlySet<string>> {
  return new Set((await store.settings.list(NAMESPACE)).map(({ key }) => key))
}

/** A worker that ended before it heard of its request leaves it behind. */
async function forgetTheGone(store: Store): Promise<void> {
  const alive = new Set<string>((await store.workers()).map(({ id }) => id))
  for (const key of await drainingWorkers(store)) if (!alive.has(key)) await store.settings.delete(NAMESPACE, key)
}

export async function forgetDrain(store: Store, worker: WorkerId): Promise<void> {
  await store.settings.delete(NAMESPACE, worker)
}

type Watching = {
  readonly store: Store
  readonly clock: Clock
  readonly random: () => number
  /** It may change: a worker that lost its lease comes back under another one. */
  readonly worker: () => WorkerId
  readonly onDrain: (graceMs: number) => void
}

/** Looks every second whether a worker is asked to stop, until it is disposed of. */
export class DrainWatch implements Disposable {
  readonly #watching: Watching
  #timer: Timer | undefined
  #isOver = false

  constructor(watching: Watching) {
    this.#watching = watching
    this.#wait()
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#timer?.cancel()
  }

  #wait(): void {
    const { clock, random } = this.#watching
    const jittered = LOOK_MS * (0.75 + 0.25 * random())
    this.#timer = clock.setTimeout(() => void this.#look(), jittered, { routine: true })
  }

  async #look(): Promise<void> {
    const { store, worker, onDrain } = this.#watching
    // A store that does not answer is told of by those who need it for jobs.
    const request = await store.settings.get(NAMESPACE, worker()).catch(() => undefined)
    if (this.#isOver) return
    if (request === undefined) this.#wait()
    else onDrain((request as { readonly graceMs: number }).graceMs) // sound: only askToDrain writes there
  }
}
