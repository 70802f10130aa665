/** A worker's slots by queue. What waits for a slot inside the worker goes before new claims. */
export class Slots {
  readonly #size: ReadonlyMap<string, number>
  readonly #taken = new Map<string, number>()
  readonly #waiting = new Map<string, (() => void)[]>()

  constructor(queues: Readonly<Record<string, number>>) {
    this.#size = new Map(Object.entries(queues))
  }

  get queues(): Iterable<string> {
    return this.#size.keys()
  }

  free(queue: string): number {
    return Math.max(0, (this.#size.get(queue) ?? 0) - (this.#taken.get(queue) ?? 0))
  }

  /** Takes a slot even where none is free: for what was claimed into one. */
  take(queue: string): void {
    this.#taken.set(queue, (this.#taken.get(queue) ?? 0) + 1)
  }

  /** Takes a slot as soon as one is free. */
  async taken(queue: string): Promise<void> {
    if (this.free(queue) === 0 && this.#size.has(queue)) {
      await new Promise<void>((resolve) => {
        const line = this.#waiting.get(queue) ?? []
        line.push(resolve)
        this.#waiting.set(queue, line)
      })
      return
    }
    this.take(queue)
  }

  /** Gives a slot back, to the first who waits for one if there is one. */
  release(queue: string): void {
    const next = this.#waiting.get(queue)?.shift()
    if (next !== undefined) next()
    else this.#taken.set(queue, Math.max(0, (this.#taken.get(queue) ?? 0) - 1))
  }
}
