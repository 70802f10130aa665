/** 16 MiB: with ten million names in it, one in two hundred that was never added is taken for one that was. */
const BITS = 2 ** 27
const PLACES = 4
const DIGITS = 7 // 28 bits each, of which one is too many.
const SKIP = 'sha256:'.length

/**
 * Names of artifacts, however many, in a fixed room (a Bloom filter). What was added is always found; what was not is found
 * now and then, too. A name is a hash already, so its digits are its places.
 */
export class NameFilter {
  readonly #bytes = new Uint8Array(BITS / 8)

  add(name: string): void {
    for (const bit of placesOf(name)) this.#bytes[bit >>> 3] = (this.#bytes[bit >>> 3] ?? 0) | (1 << (bit & 7))
  }

  has(name: string): boolean {
    return placesOf(name).every((bit) => ((this.#bytes[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0)
  }
}

function placesOf(name: string): readonly number[] {
  return Array.from({ length: PLACES }, (_, index) => {
    const start = SKIP + index * DIGITS
    return Number.parseInt(name.slice(start, start + DIGITS), 16) % BITS
  })
}
