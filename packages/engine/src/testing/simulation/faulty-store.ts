import { StoreUnavailableError } from '../../errors.ts'
import type { Hint, Store } from '../../store/store.ts'
import type { SimulatedProcess, World } from './world.ts'

/** How bad the world is: probabilities per call or hint. */
export type Faults = {
  readonly slow: number
  readonly failBefore: number
  readonly failAfter: number
  readonly hintLost: number
  readonly hintLateMs: number
}

export const NO_FAULTS: Faults = { slow: 0, failBefore: 0, failAfter: 0, hintLost: 0, hintLateMs: 0 }

const CALLS = new Set<string | symbol>([
  'enqueue',
  'commit',
  'addWorker',
  'removeWorker',
  'sweep',
  'cancel',
  'cancelRequests',
  'releases',
  'outcomes',
  'history',
  'states',
  'outcome',
])

/** What the all-seeing observer is told of calls that were really applied, whatever their caller hears. */
export type Observer = (process: SimulatedProcess, method: string, args: readonly unknown[], result: unknown) => void

/** Hints between the processes of a simulation: they may be lost, late or repeated. */
export class HintBus {
  readonly #world: World
  readonly #faults: () => Faults
  readonly #listeners = new Set<{ readonly process: SimulatedProcess; readonly listener: (hint: Hint) => void }>()

  constructor(world: World, faults: () => Faults) {
    this.#world = world
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
      if (!entry.process.isAlive || this.#world.chance(hintLost)) continue
      for (let copy = this.#world.chance(0.02) ? 2 : 1; copy > 0; copy--) {
        const hear = () => this.#listeners.has(entry) && entry.listener(hint)
        entry.process.clock.setTimeout(hear, this.#world.between(0, hintLateMs))
      }
    }
  }
}

/** A store as one process meets it: slow, failing, and forgetful of what it has answered. */
export function faultyStore(options: {
  readonly store: Store
  readonly process: SimulatedProcess
  readonly world: World
  readonly faults: () => Faults
  readonly bus: HintBus
  readonly observe: Observer
}): Store {
  const { store, process, world, faults, bus, observe } = options
  store.watch((hint) => bus.send(hint))

  async function call(method: string, args: readonly unknown[], apply: () => Promise<unknown>): Promise<unknown> {
    const { slow, failBefore, failAfter } = faults()
    if (world.chance(slow)) await process.sleep(world.between(1, 3_000))
    if (world.chance(failBefore)) throw broken('was not applied')
    const result = await apply()
    observe(process, method, args, result)
    if (world.chance(slow)) await process.sleep(world.between(1, 3_000))
    // A worker that cannot know whether it is known does not come to be; it is made again under another id.
    if (method !== 'addWorker' && world.chance(failAfter)) throw broken('was applied, though nobody heard')
    return result
  }

  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (key === 'watch') return (listener: (hint: Hint) => void) => bus.listen(process, listener)
      if (typeof value !== 'function') return value
      if (!CALLS.has(key)) return value.bind(target)
      return (...args: unknown[]) => call(String(key), args, () => value.apply(target, args))
    },
  })
}

function broken(what: string): Error {
  return new StoreUnavailableError('simulated', 0, { cause: new Error(`a simulated fault: it ${what}`) })
}
