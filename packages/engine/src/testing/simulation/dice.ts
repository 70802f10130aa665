import { seededRandom } from '../../flow/seeded-random.ts'

/** Chance, from one seed. */
export class Dice {
  readonly random: () => number

  constructor(seed: string) {
    this.random = seededRandom(seed)
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1))
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.random() * from.length)]
    if (picked === undefined) throw new Error('there is nothing to pick from')
    return picked
  }
}
