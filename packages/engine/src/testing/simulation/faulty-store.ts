import { StoreFullError, StoreUnavailableError } from '../../errors.ts'
import type { Hint, Store } from '../../store/store.ts'
import type { SimulatedProcess, World } from './world.ts'

/** How bad the world is: probabilities per call or hint. */
export type Faults = {
  readonly slow: number
  readonly failBefore: number
  readonly failAfter: number
  /** Of a commit: its caller hears that it failed, and it is applied some seconds later. */
  readonly late: number
  /** Of a commit: it arrives once more, some seconds later. */
  readonly repeated: number
  readonly hintLost: number
  readonly hintLateMs: number
}

export const NO_FAULTS: Faults = {
  slow: 0,
  failBefore: 0,
  failAfter: 0,
  late: 0,
  repeated: 0,
  hintLost: 0,
  hintLateMs: 0,
}

const WRITES = new Set<string | symbol>([
  ...['enqueue', 'commit', 'addWorker', 'removeWorker', 'sweep', 'cancel', 'signal', 'check'],
  ...['put', 'pause', 'delete', 'fire'],
])
const READS = new Set<string | symbol>([
  ...['cancelRequests', 'releases', 'outcomes', 'history', 'states', 'outcome', 'get', 'due'],
])

/** Slow calls, late commits and cut connections are over after this. */
const DELAY_MS_MAX = 8_000

/** What the all-seeing observer is told of calls that were really applied, whatever their caller hears. */
export type Observer = (process: SimulatedProcess, method: string, args: readonly unknown[], result: unknown) => void

/** Hints between the processes of a simulation: they may be lost, late or repeated. */
export class HintBus {
  readonly #faults: () => Faults
  readonly #listeners = new Set<{ readonly process: SimulatedProcess; readonly listener: (hint: Hint) => void }>()

  constructor(faults: () => Faults) {
    this.#faults = faults
  }

  listen(process: SimulatedProcess, listener: (hint: Hint) => void): Disposable {
    const entry = { process, listener }
    this.#listeners.add(entry)
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) }
  }

  send(hint: Hint): void {
    for (const entry of this.#listeners) {
      const { hintLost, hintLateMs } = this.#faults()
      const { process, listener } = entry
      const { dice } = process
      if (!process.isAlive || process.isCutOff || dice.chance(hintLost)) continue
      for (let copy = dice.chance(0.02) ? 2 : 1; copy > 0; copy--) {
        const hear = () => this.#listeners.has(entry) && listener(hint)
        process.clock.setTimeout(hear, dice.between(0, hintLateMs))
      }
    }
  }
}

export type FaultyOptions = {
  readonly store: Store
  readonly process: SimulatedProcess
  readonly world: World
  readonly faults: () => Faults
  readonly bus: HintBus
  readonly observe: Observer
}

/** A store as one process meets it: slow, failing, out of reach, and forgetful of what it has answered. */
export function faultyStore(options: FaultyOptions): Store {
  const { store, process, bus } = options
  store.watch((hint) => bus.send(hint))
  const schedules = withFaults(store.schedules, options)
  const others = {
    clock: process.clock,
    schedules,
    watch: (listener: (hint: Hint) => void) => bus.listen(process, listener),
  }
  return withFaults(store, options, others)
}

function withFaults<T extends object>(target: T, options: FaultyOptions, others: object = {}): T {
  return new Proxy(target, {
    get(_, key) {
      if (key in others) return Reflect.get(others, key)
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      if (!WRITES.has(key) && !READS.has(key)) return value.bind(target)
      return (...args: unknown[]) => call(options, String(key), args, () => value.apply(target, args))
    },
  })
}

async function call(
  { process, world, faults, observe }: FaultyOptions,
  method: string,
  args: readonly unknown[],
  apply: () => Promise<unknown>,
): Promise<unknown> {
  const { dice } = process
  const { slow, failBefore, failAfter, late, repeated } = faults()
  const applied = async () => {
    const result = await apply()
    observe(process, method, args, result)
    return result
  }
  const applyLater = () =>
    void process
      .reaches(dice.between(1, DELAY_MS_MAX))
      .then(applied)
      .catch(() => {})
  if (dice.chance(slow)) await process.sleep(dice.between(1, 3_000))
  if (dice.chance(failBefore)) throw broken('was not applied')
  if (process.isCutOff) {
    // What was said into a cut connection may be lost, or arrive when it is back, whether or not anybody waits for it.
    if (dice.chance(0.5)) await process.sleep(dice.between(100, 5_000))
    if (dice.chance(0.3)) throw broken('was not applied')
    await process.reaches()
  }
  if (method === 'commit' && dice.chance(late)) {
    applyLater()
    await process.sleep(dice.between(1, 1_000))
    throw broken('was applied later, though nobody heard')
  }
  if (world.isFull && WRITES.has(method)) throw new StoreFullError('simulated')
  const result = await applied()
  if (method === 'commit' && dice.chance(repeated)) applyLater()
  if (dice.chance(slow)) await process.sleep(dice.between(1, 3_000))
  // A worker that cannot know whether it is known does not come to be; it is made again under another id.
  if (method !== 'addWorker' && dice.chance(failAfter)) throw broken('was applied, though nobody heard')
  return result
}

function broken(what: string): Error {
  return new StoreUnavailableError('simulated', 0, { cause: new Error(`a simulated fault: it ${what}`) })
}
