/**
 * Smooth noise in 0..1 over a square of cells: value noise on lattices each half as wide and weighing half as much as the one
 * before (Perlin's fractal sum). The same seed gives the same noise on every machine, since only +, ×, and integer hashes go into it.
 */
export function fractalNoise(
  side: number,
  { seed, widest, octaves }: { seed: number; widest: number; octaves: number },
): Float32Array {
  const noise = new Float32Array(side * side)
  let weights = 0
  for (let octave = 0; octave < octaves; octave++) {
    const weight = 0.5 ** octave
    addOctave(noise, side, { seed: seed + octave * 7919, width: widest / 2 ** octave, weight })
    weights += weight
  }
  for (let i = 0; i < noise.length; i++) noise[i] = (noise[i] as number) / weights
  return noise
}

function addOctave(
  noise: Float32Array,
  side: number,
  { seed, width, weight }: { seed: number; width: number; weight: number },
): void {
  const knots = Math.ceil(side / width) + 2
  const lattice = Float32Array.from({ length: knots * knots }, (_, i) => hashed(i, seed))
  for (let row = 0; row < side; row++) {
    const knotRow = Math.floor(row / width)
    const down = smooth(row / width - knotRow)
    for (let col = 0; col < side; col++) {
      const knotCol = Math.floor(col / width)
      const across = smooth(col / width - knotCol)
      const at = knotRow * knots + knotCol
      const top = mix(lattice[at] as number, lattice[at + 1] as number, across)
      const bottom = mix(lattice[at + knots] as number, lattice[at + knots + 1] as number, across)
      noise[row * side + col] = (noise[row * side + col] as number) + weight * mix(top, bottom, down)
    }
  }
}

const smooth = (share: number): number => share * share * (3 - 2 * share)
const mix = (from: number, to: number, share: number): number => from + (to - from) * share

/** A number in 0..1 that looks random, from two integers (the finalizer of MurmurHash3, public domain). */
export function hashed(index: number, seed: number): number {
  let hash = Math.imul(index ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
