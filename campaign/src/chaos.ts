import { setTimeout as sleep } from 'node:timers/promises'
import type { Place, PlaceHarm } from './place/place.ts'
import type { Child } from './process/child.ts'

/** How often what was done. */
export type HarmCounts = Record<string, number>

const RESTART_MS_MAX = 1_000
/** Longer than a lease, now and then. */
const FREEZE_MS_MAX = 6_000
const PLACE_HARM_MS_MAX = 3_000
/** The place is harmed in one case of so many, since everybody suffers from it. */
const PLACE_HARM_EVERY = 5

/** Harms processes and their store at random for a while, and leaves everything mended and running. */
export class Chaos {
  readonly counts: HarmCounts = {}
  readonly #random: () => number
  readonly #place: Place
  readonly #children: readonly Child[]
  #isPlaceHarmed = false

  constructor(options: { readonly random: () => number; readonly place: Place; readonly children: readonly Child[] }) {
    this.#random = options.random
    this.#place = options.place
    this.#children = options.children
  }

  start(): void {
    for (const child of this.#children) this.#start(child)
  }

  async run(forMs: number, everyMs: number): Promise<void> {
    const end = performance.now() + forMs
    const underWay: Promise<unknown>[] = []
    let failure: unknown
    while (performance.now() < end && failure === undefined) {
      underWay.push(
        this.#harm().catch((error: unknown) => {
          failure = error
        }),
      )
      await sleep(everyMs * (0.5 + this.#random()))
    }
    await Promise.all(underWay)
    if (failure !== undefined) throw failure
    for (const child of this.#children) child.thaw()
  }

  #start(child: Child): void {
    child.start(() => void setTimeout(() => this.#start(child), Math.random() * RESTART_MS_MAX))
  }

  async #harm(): Promise<void> {
    const place = this.#place.harms
    const isPlace = this.#random() < 1 / PLACE_HARM_EVERY
    const chosen = isPlace && !this.#isPlaceHarmed ? place[this.#below(place.length)] : undefined
    if (chosen !== undefined) return this.#harmPlace(chosen)
    const victim = this.#children[this.#below(this.#children.length)]
    if (victim === undefined) return
    if (this.#random() < 0.6) {
      this.#count(`${victim.role.kind} killed`)
      victim.kill()
      return
    }
    this.#count(`${victim.role.kind} frozen`)
    victim.freeze()
    await sleep(this.#below(FREEZE_MS_MAX))
    victim.thaw()
  }

  async #harmPlace({ name, inflict }: PlaceHarm): Promise<void> {
    this.#count(name)
    this.#isPlaceHarmed = true
    await inflict(this.#below(PLACE_HARM_MS_MAX))
    this.#isPlaceHarmed = false
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1
  }
}
