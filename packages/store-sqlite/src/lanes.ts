import type { Context } from './prepared.ts'

/** What decides which workers may take a job, besides its queue's settings. Jobs that agree in all of it share a lane. */
export type Lane = {
  readonly id: number
  readonly queue: string
  readonly task: string
  /** Empty: none. */
  readonly deployment: string
  /** A sorted JSON array; empty: none. */
  readonly labels: string
  /** JSON with sorted keys; empty: nothing. */
  readonly needs: string
}

/**
 * The lanes of a file. A worker matches whole lanes, so that a claim never reads a job that it could not give out. Lanes
 * are few and are only ever added, by any process: each keeps them in memory and reads the new ones when it claims.
 */
export class Lanes {
  readonly #sql: Context['sql']
  readonly #byKey = new Map<string, number>()
  readonly #byQueue = new Map<string, Lane[]>()
  #newest = 0

  constructor(sql: Context['sql']) {
    this.#sql = sql
  }

  /** The number of a lane, which is made when there is none like it. Within a transaction. */
  numberOf(lane: Omit<Lane, 'id'>): number {
    const key = keyOf(lane)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    this.#sql.run('insertLane', lane.queue, lane.task, lane.deployment, lane.labels, lane.needs)
    this.refresh()
    const number = this.#byKey.get(key)
    if (number === undefined) throw new Error(`the lane of ${lane.task} in ${lane.queue} was not stored`)
    return number
  }

  ofQueue(queue: string): readonly Lane[] {
    return this.#byQueue.get(queue) ?? []
  }

  /** Reads what other processes have added. */
  refresh(): void {
    for (const lane of this.#sql.all<Lane>('lanesAfter', this.#newest)) {
      this.#newest = lane.id
      this.#byKey.set(keyOf(lane), lane.id)
      const lanes = this.#byQueue.get(lane.queue)
      // A new list each time: whoever has chosen among the old one sees that it has changed.
      this.#byQueue.set(lane.queue, [...(lanes ?? []), lane])
    }
  }

  /** A transaction was rolled back, and may have taken lanes with it that are remembered here. */
  forget(): void {
    this.#byKey.clear()
    this.#byQueue.clear()
    this.#newest = 0
  }
}

function keyOf({ queue, task, deployment, labels, needs }: Omit<Lane, 'id'>): string {
  return JSON.stringify([queue, task, deployment, labels, needs])
}
