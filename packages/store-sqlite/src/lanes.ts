import { type LaneKey, type LaneWants, readLane } from '@headrace/engine'
import type { Context } from './prepared.ts'

/** A lane as a claim needs it. */
export type Lane = LaneWants & { readonly id: number; readonly queue: string }

/**
 * The lanes of a file. A worker matches whole lanes, so that a claim never reads a job that it could not give out. Lanes
 * are few and are only ever added, by any process: each keeps them in memory and reads the new ones when it claims.
 */
export class Lanes {
  readonly #sql: Context['sql']
  readonly #byKey = new Map<string, number>()
  readonly #byNumber = new Map<number, Lane>()
  readonly #byQueue = new Map<string, Lane[]>()
  #newest = 0

  constructor(sql: Context['sql']) {
    this.#sql = sql
  }

  /** The number of a lane, which is made when there is none like it. Within a transaction. */
  numberOf(lane: LaneKey): number {
    const key = keyOf(lane)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    this.#sql.run('insertLane', lane.queue, lane.task, lane.deployment, lane.labels, lane.needs)
    this.refresh()
    const number = this.#byKey.get(key)
    if (number === undefined) throw new Error(`the lane of ${lane.task} in ${lane.queue} was not stored`)
    return number
  }

  /** The lane of a stored job. */
  get(number: number): Lane {
    if (!this.#byNumber.has(number)) this.refresh()
    const lane = this.#byNumber.get(number)
    if (lane === undefined) throw new Error(`there is no lane ${number}`)
    return lane
  }

  ofQueue(queue: string): readonly Lane[] {
    return this.#byQueue.get(queue) ?? []
  }

  /** Reads what other processes have added. */
  refresh(): void {
    for (const row of this.#sql.all<LaneKey & { readonly id: number }>('lanesAfter', this.#newest)) {
      this.#newest = row.id
      this.#byKey.set(keyOf(row), row.id)
      const lane = { ...readLane(row), id: row.id, queue: row.queue }
      this.#byNumber.set(lane.id, lane)
      const lanes = this.#byQueue.get(lane.queue)
      // A new list each time: whoever has chosen among the old one sees that it has changed.
      this.#byQueue.set(lane.queue, [...(lanes ?? []), lane])
    }
  }

  /** A transaction was rolled back, and may have taken lanes with it that are remembered here. */
  forget(): void {
    this.#byKey.clear()
    this.#byNumber.clear()
    this.#byQueue.clear()
    this.#newest = 0
  }
}

function keyOf({ queue, task, deployment, labels, needs }: LaneKey): string {
  return JSON.stringify([queue, task, deployment, labels, needs])
}
