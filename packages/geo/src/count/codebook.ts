import { bytesPerCell, type Cells, type CellType, isFloat, isMissing } from '../raster/cell-type.ts'

/**
 * Numbers the values of a layer 1, 2, 3 … as they are met, so that counting goes by small integers. Code 0 is a missing cell.
 * Floats are truncated toward zero first, as Model My Watershed reads them (slope 3.9 is 3).
 */
export class Codebook {
  /** The value of each code; null for code 0. */
  readonly values: (number | null)[] = [null]
  readonly #nodata: number | null
  readonly #isFloat: boolean
  // Cells of 8 and 16 bits index a table, with -1 for what has no code yet; wider ones a map.
  readonly #table: Int32Array | undefined
  readonly #map = new Map<number, number>()

  constructor({ cellType, nodata }: { cellType: CellType; nodata: number | null }) {
    this.#nodata = nodata
    this.#isFloat = isFloat(cellType)
    this.#table = bytesPerCell(cellType) <= 2 ? new Int32Array(0x10000).fill(-1) : undefined
  }

  /** Puts the codes of `count` cells from `source` on into `codes`, from `target` on. */
  encode(cells: Cells, source: number, into: { codes: Int32Array; target: number; count: number }): void {
    if (this.#table) this.#encodeByTable(this.#table, cells, source, into)
    else this.#encodeByMap(cells, source, into)
  }

  #encodeByTable(
    table: Int32Array,
    cells: Cells,
    source: number,
    into: { codes: Int32Array; target: number; count: number },
  ): void {
    const { codes, target, count } = into
    for (let i = 0; i < count; i++) {
      const value = cells[source + i] as number // within the block
      const code = table[value & 0xffff] as number // a table has every value of 16 bits
      codes[target + i] = code >= 0 ? code : this.#learn(table, value)
    }
  }

  #learn(table: Int32Array, value: number): number {
    const code = value === this.#nodata ? 0 : this.values.push(value) - 1
    table[value & 0xffff] = code
    return code
  }

  // Neighbours are often alike, so the last value and its code are kept at hand.
  #encodeByMap(cells: Cells, source: number, into: { codes: Int32Array; target: number; count: number }): void {
    const { codes, target, count } = into
    let [lastValue, lastCode] = [Number.NaN, 0]
    for (let i = 0; i < count; i++) {
      const value = cells[source + i] as number
      if (value !== lastValue) {
        lastValue = value
        lastCode = this.#find(value)
      }
      codes[target + i] = lastCode
    }
  }

  #find(value: number): number {
    if (isMissing(value, this.#nodata)) return 0
    const key = this.#isFloat ? Math.trunc(value) + 0 : value // + 0 makes -0 a 0
    const known = this.#map.get(key)
    if (known !== undefined) return known
    const code = this.values.push(key) - 1
    this.#map.set(key, code)
    return code
  }
}

/** Numbers pairs of codes 0, 1, 2 … as they are met. */
export class PairBook {
  /** The two codes of each pair, one after the other. */
  readonly pairs: number[] = []
  readonly #map = new Map<number, number>()
  readonly #table = new Int32Array(tableSide * tableSide).fill(-1)

  /** Replaces each of `codes[start … end - 1]` by the code of its pair with `others` at the same place. */
  combine(codes: Int32Array, others: Int32Array, start: number, end: number): void {
    let [lastOne, lastOther, last] = [-1, -1, 0]
    for (let at = start; at < end; at++) {
      const [one, other] = [codes[at] as number, others[at] as number] // both as long as a block
      if (one !== lastOne || other !== lastOther) {
        lastOne = one
        lastOther = other
        last = this.#codeOf(one, other)
      }
      codes[at] = last
    }
  }

  #codeOf(one: number, other: number): number {
    if (one < tableSide && other < tableSide) {
      const at = one * tableSide + other
      const known = this.#table[at] as number // within, as just compared
      if (known >= 0) return known
      this.#table[at] = this.#push(one, other)
      return this.#table[at] as number
    }
    const key = one * pairFactor + other
    const known = this.#map.get(key)
    if (known !== undefined) return known
    const code = this.#push(one, other)
    this.#map.set(key, code)
    return code
  }

  #push(one: number, other: number): number {
    return this.pairs.push(one, other) / 2 - 1
  }
}

const tableSide = 256
// Codes stay far below it: there is one per value met, and two factors fit in a double's 53 bits.
const pairFactor = 2 ** 26
