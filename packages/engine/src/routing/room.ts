import { type Amounts, lacking, minus } from './resources.ts'

/** What is left of what a worker offers, over the claims of one commit. */
export type Room = { free: Amounts }

/** The resources that a job in line has waited for too long. */
export type Starving = { readonly lacks: readonly string[]; readonly at: number }

/** A job that has been due for so long is kept waiting no longer by smaller ones behind it. */
const STARVING_MS = 30_000
/** A queue whose slots are all taken is not looked at; then what starved in it does not count for longer than this. */
const BELIEVED_MS = 5_000

type Line = {
  readonly queue: string
  /** Of the worker, by queue. */
  readonly starving: Map<string, Starving>
  readonly now: number
  dueAt(seq: number): number
}

/**
 * Of the heads of a worker's lanes, in order, those that fit into what is free. All jobs of a lane need the same, so one
 * that does not fit leaves its lane out. One that has been due for long reserves what it lacks: nothing behind it, nor in
 * another queue, takes any of that before it has begun.
 */
export function chooseFitting<
  Head extends {
    readonly seq: number
    readonly lane: { readonly id: number; readonly amounts?: Amounts | undefined }
  },
>(heads: readonly Head[], slots: number, room: Room, { queue, starving, now, dueAt }: Line): Head[] {
  const reserved = new Set<string>()
  for (const [other, { lacks, at }] of starving) {
    if (other !== queue && now - at <= BELIEVED_MS) for (const name of lacks) reserved.add(name)
  }
  starving.delete(queue)
  const chosen: Head[] = []
  const out = new Set<number>()
  for (const head of heads) {
    if (chosen.length >= slots) break
    const { id, amounts = {} } = head.lane
    if (out.has(id)) continue
    const lacks = lacking(room.free, amounts)
    const isReserved = Object.keys(amounts).some((name) => reserved.has(name))
    if (lacks.length === 0 && !isReserved) {
      room.free = minus(room.free, amounts)
      chosen.push(head)
      continue
    }
    out.add(id)
    if (lacks.length === 0 || now - dueAt(head.seq) < STARVING_MS) continue
    for (const name of lacks) reserved.add(name)
    starving.set(queue, { lacks: [...(starving.get(queue)?.lacks ?? []), ...lacks], at: now })
  }
  return chosen
}
