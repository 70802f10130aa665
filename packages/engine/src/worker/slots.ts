import { type Amounts, amountsOf, lacking, minus, plus, type Resources } from '../routing/resources.ts'

type Waiting = { readonly needs: Amounts; readonly resolve: () => void }

const NOTHING: Amounts = {}

/**
 * A worker's slots by queue, and what it offers besides. What waits for a place inside the worker goes before new claims, so
 * neither a slot nor a resource that it waits for is offered to the store.
 */
export class Slots {
  readonly #size: ReadonlyMap<string, number>
  readonly #offers: Amounts | undefined
  readonly #taken = new Map<string, number>()
  readonly #waiting = new Map<string, Waiting[]>()
  #used = NOTHING
  /** A claim is under way that may take whatever was free when it left. */
  #isLent = false

  /** @param offers nothing is limited, when left out */
  constructor(queues: Readonly<Record<string, number>>, offers?: Resources) {
    this.#size = new Map(Object.entries(queues))
    this.#offers = offers && amountsOf(offers)
  }

  get queues(): Iterable<string> {
    return this.#size.keys()
  }

  free(queue: string): number {
    return Math.max(0, this.#unused(queue) - (this.#waiting.get(queue)?.length ?? 0))
  }

  /** What a claim may take; undefined: nothing is limited. */
  get freeAmounts(): Amounts | undefined {
    if (this.#offers === undefined) return undefined
    const waiting = [...this.#waiting.values()].flat().map(({ needs }) => needs)
    const left = minus(this.#offers, [this.#used, ...waiting].reduce(plus))
    return Object.fromEntries(Object.entries(left).map(([name, amount]) => [name, Math.max(0, amount)]))
  }

  /** Takes a place even where none is free: for what was claimed into one. */
  take(queue: string, needs?: Resources): void {
    this.#take(queue, needs === undefined ? NOTHING : amountsOf(needs))
  }

  /** Takes a place as soon as there is one. */
  async taken(queue: string, needs?: Resources): Promise<void> {
    const amounts = needs === undefined ? NOTHING : amountsOf(needs)
    const line = this.#waiting.get(queue) ?? []
    if (line.length === 0 && this.#fits(queue, amounts)) this.#take(queue, amounts)
    else {
      this.#waiting.set(queue, line)
      await new Promise<void>((resolve) => line.push({ needs: amounts, resolve }))
    }
  }

  /** Gives a place back, to those who wait for one first. */
  release(queue: string, needs?: Resources): void {
    this.#taken.set(queue, Math.max(0, (this.#taken.get(queue) ?? 0) - 1))
    if (needs !== undefined) this.#used = minus(this.#used, amountsOf(needs))
    this.#serve()
  }

  /** Until `back`, what is free belongs to a claim: nobody inside the worker takes any of it. */
  lend(): void {
    this.#isLent = true
  }

  back(): void {
    this.#isLent = false
    this.#serve()
  }

  #unused(queue: string): number {
    return (this.#size.get(queue) ?? 0) - (this.#taken.get(queue) ?? 0)
  }

  #fits(queue: string, needs: Amounts): boolean {
    if (this.#size.has(queue) && this.#unused(queue) <= 0) return false
    if (needs === NOTHING || this.#offers === undefined) return true
    return !this.#isLent && lacking(minus(this.#offers, this.#used), needs).length === 0
  }

  #take(queue: string, needs: Amounts): void {
    this.#taken.set(queue, (this.#taken.get(queue) ?? 0) + 1)
    if (needs !== NOTHING) this.#used = plus(this.#used, needs)
  }

  #serve(): void {
    for (const [queue, line] of this.#waiting) {
      for (let next = line[0]; next !== undefined && this.#fits(queue, next.needs); next = line[0]) {
        line.shift()
        this.#take(queue, next.needs)
        next.resolve()
      }
    }
  }
}
