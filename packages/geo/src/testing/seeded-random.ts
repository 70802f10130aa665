/** Random numbers in 0..1 that one seed repeats: mulberry32 (T. Ettinger, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The seed to test with: SEED from the environment, or a new one. Print it with every failure. */
export const seed = process.env.SEED ? Number(process.env.SEED) : Math.floor(Math.random() * 1e6)

/** The line that repeats a failure. */
export function repeatLine(file: string): string {
  return `SEED=${seed} node bin/node.cjs --test packages/geo/src/${file}`
}
