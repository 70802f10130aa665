import { type LaneKey, type LaneWants, readLane } from '@headrace/engine'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'

/** A lane as a claim needs it. */
export type Lane = LaneWants & { readonly id: number; readonly queue: string }
export type LaneRow = LaneKey & { readonly id: number }

/** The advisory lock under which lanes are made. */
const LANES_LOCK = -1

/**
 * The lanes of a schema. A worker matches whole lanes, so that a claim never reads a job that it could not give out. Lanes
 * are few and are only ever added, by any process: each keeps them in memory and reads the new ones when it claims. A lane
 * is made in a transaction of its own, before the first job that needs it: it says nothing of any job.
 */
export class Lanes {
  readonly #byKey = new Map<string, Lane>()
  readonly #byId = new Map<number, Lane>()
  readonly #byQueue = new Map<string, readonly Lane[]>()
  #newest = 0

  get newest(): number {
    return this.#newest
  }

  ofQueue(queue: string): readonly Lane[] {
    return this.#byQueue.get(queue) ?? []
  }

  find(key: LaneKey): Lane | undefined {
    return this.#byKey.get(textOf(key))
  }

  /** Makes the lanes that are missing; afterwards `find` knows them all. Outside of any transaction. */
  async make(session: Session, keys: readonly LaneKey[]): Promise<void> {
    const missing = new Map<string, LaneKey>()
    for (const key of keys) if (this.find(key) === undefined) missing.set(textOf(key), key)
    if (missing.size === 0) return
    for (const { queue, task, deployment, labels, needs } of missing.values()) {
      await session.run(statements.insertLane, [queue, task, deployment, labels, needs, LANES_LOCK])
    }
    this.add(await session.run<LaneRow>(statements.lanesAfter, [this.#newest]))
  }

  /** The lane of a stored job; undefined for one that another process has just made. */
  get(id: number): Lane | undefined {
    return this.#byId.get(id)
  }

  queueOf(id: number): string | undefined {
    return this.#byId.get(id)?.queue
  }

  /** What a statement has found after the newest one. @returns whether there were any */
  add(rows: readonly LaneRow[]): boolean {
    for (const row of rows) {
      if (this.#byId.has(row.id)) continue
      const lane = { ...readLane(row), id: row.id, queue: row.queue }
      this.#newest = Math.max(this.#newest, lane.id)
      this.#byKey.set(textOf(row), lane)
      this.#byId.set(lane.id, lane)
      // A new list each time: whoever has chosen among the old one sees that it has changed.
      this.#byQueue.set(lane.queue, [...(this.#byQueue.get(lane.queue) ?? []), lane])
    }
    return rows.length > 0
  }
}

/** The question for the lanes that others have made. */
export function lanesAfter(lanes: Lanes) {
  return call(statements.lanesAfter, lanes.newest)
}

function textOf({ queue, task, deployment, labels, needs }: LaneKey): string {
  return `${queue}\n${task}\n${deployment}\n${labels}\n${needs}`
}
