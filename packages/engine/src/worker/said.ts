import type { Advance, CommitResult, Lease, Settlement, Told } from '../store/store.ts'

export type Waiting<T, R> = { readonly what: T; readonly resolve: (answer: R) => void }

export type Settling = Waiting<Settlement, CommitResult['settled'][number]> & {
  /** It is said instead of something that the store refused. */
  readonly isInstead?: true
}

export type Advancing = Waiting<Advance, CommitResult['advanced'][number]>

/** What a worker says in one commit, or is about to say, with those who wait for an answer. */
export type Said = { readonly settle: Settling[]; readonly advance: Advancing[]; readonly tell: Told[] }

export function nothing(): Said {
  return { settle: [], advance: [], tell: [] }
}

export function isNothing({ settle, advance, tell }: Said): boolean {
  return settle.length + advance.length + tell.length === 0
}

export function joined(first: Said, then: Said): Said {
  return {
    settle: [...first.settle, ...then.settle],
    advance: [...first.advance, ...then.advance],
    tell: [...first.tell, ...then.tell],
  }
}

/** Takes one thing out, in the order in which a store takes a commit: what an attempt told, its steps, its end. */
export function takeOne(said: Said): Said | undefined {
  const told = said.tell.shift()
  if (told !== undefined) return { ...nothing(), tell: [told] }
  const advancing = said.advance.shift()
  if (advancing !== undefined) return { ...nothing(), advance: [advancing] }
  const settling = said.settle.shift()
  return settling === undefined ? undefined : { ...nothing(), settle: [settling] }
}

/** Takes out the steps and the end of one attempt, and answers each that the attempt does not hold its lease. */
export function withdraw(said: Said, { row, attempt }: Lease): void {
  const isOfIt = ({ what: { lease } }: Settling | Advancing) => lease.row === row && lease.attempt === attempt
  for (const list of [said.advance, said.settle]) {
    for (const waiting of list.filter(isOfIt)) waiting.resolve('lease_lost')
    list.splice(0, list.length, ...(list.filter((waiting) => !isOfIt(waiting)) as never[])) // sound: taken from itself
  }
}
