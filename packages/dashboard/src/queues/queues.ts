import type { QueuePatch, WireQueue, WireRate, WorkerList } from '@headrace/wire'
import { duration } from '../time/instant.ts'

export type QueueWithSlots = WireQueue & {
  /** Of all workers together: how many of its jobs can run at once. */
  readonly slots: number
}

/** The queues that have jobs, and those that only have workers waiting for some; by name. */
export function queuesWithSlots(
  queues: readonly WireQueue[],
  workers: WorkerList['workers'],
): readonly QueueWithSlots[] {
  const slots = new Map<string, number>()
  for (const worker of workers) {
    for (const [queue, count] of Object.entries(worker.queues)) slots.set(queue, (slots.get(queue) ?? 0) + count)
  }
  const counted = new Map(queues.map((queue) => [queue.queue, queue]))
  const names = [...new Set([...counted.keys(), ...slots.keys()])].sort()
  return names.map((queue) => ({
    ...(counted.get(queue) ?? { queue, ...EMPTY }),
    slots: slots.get(queue) ?? 0,
  }))
}

const EMPTY = { waiting: 0, scheduled: 0, blocked: 0, running: 0, paused: false, fair: false } as const

/** @example rateText({ count: 10, perMs: 60_000 }) // '10 per 1 min 00 s' */
export function rateText({ count, perMs }: WireRate): string {
  const unit = RATE_UNITS.find(({ ms }) => ms === perMs)
  return `${count.toLocaleString()} per ${unit?.name ?? duration(perMs)}`
}

export const RATE_UNITS = [
  { name: 'second', ms: 1_000 },
  { name: 'minute', ms: 60_000 },
  { name: 'hour', ms: 3_600_000 },
  { name: 'day', ms: 86_400_000 },
] as const

/** What the form of a queue's settings holds: texts, as a person types them. */
export type SettingsDraft = {
  /** Empty: no rate. */
  readonly count: string
  readonly perMs: number
  readonly fair: boolean
  /** A line for each owner: `ada = 2`. */
  readonly shares: string
}

export function draftOf({ rate, fair, shares = {} }: WireQueue): SettingsDraft {
  return {
    count: rate === undefined ? '' : String(rate.count),
    perMs: rate?.perMs ?? 1_000,
    fair,
    shares: Object.entries(shares)
      .map(([owner, weight]) => `${owner} = ${weight}`)
      .join('\n'),
  }
}

/** What is asked of the server; it says which values can be. */
export function readDraft(draft: SettingsDraft): { readonly patch: QueuePatch } | { readonly wrong: string } {
  const count = draft.count.trim()
  const shares: Record<string, number> = {}
  for (const line of draft.shares.split('\n').filter((one) => one.trim() !== '')) {
    const [, owner, weight] = /^\s*(\S.*?)\s*=\s*([\d.]+)\s*$/.exec(line) ?? []
    if (owner === undefined) return { wrong: `"${line.trim()}" is no weight. Write an owner and a number: ada = 2.` }
    shares[owner] = Number(weight)
  }
  if (count !== '' && !/^\d+$/.test(count)) return { wrong: `The rate is "${count}". Write a whole number of jobs.` }
  const rate = count === '' ? null : { count: Number(count), perMs: draft.perMs }
  return { patch: { rate, fair: draft.fair, ...(Object.keys(shares).length > 0 && { shares }) } }
}
