/** Where water runs on a square of heights. */
export type Drainage = {
  /** The cell that each cell drains into; its own number where it drains off the edge. */
  readonly downstream: Int32Array
  /** Every cell, each after the one that it drains into. */
  readonly order: Int32Array
  /** How many cells drain through each, itself among them. */
  readonly cells: Int32Array
  /** How far each cell lies under water when every hollow is filled to its rim, in steps of `1 / heightSteps`. */
  readonly depth: Int32Array
}

const heightSteps = 4096

/**
 * Drains a square of heights in 0..1 through the four sides of each cell, by priority flood: the lowest cell reached from the edge
 * is always taken next, and its neighbours drain into it (Barnes, Lehman and Mulla 2014, "Priority-flood"). Heights are put in
 * `heightSteps` steps, so that a queue per step takes the place of a heap.
 */
export function drain(heights: Float32Array, side: number): Drainage {
  const steps = new Int32Array(heights.length)
  for (let cell = 0; cell < steps.length; cell++) {
    steps[cell] = Math.max(0, Math.min(heightSteps - 1, Math.floor((heights[cell] as number) * heightSteps)))
  }
  const { downstream, filled, order } = flood(steps, side)
  const cells = new Int32Array(steps.length).fill(1)
  for (let i = order.length - 1; i >= 0; i--) {
    const cell = order[i] as number
    const next = downstream[cell] as number
    if (next !== cell) cells[next] = (cells[next] as number) + (cells[cell] as number)
  }
  return { downstream, order, cells, depth: filled.map((step, cell) => step - (steps[cell] as number)) }
}

function flood(steps: Int32Array, side: number): { downstream: Int32Array; filled: Int32Array; order: Int32Array } {
  const downstream = new Int32Array(steps.length).fill(-1)
  const filled = Int32Array.from(steps)
  const order = new Int32Array(steps.length)
  const queues = new StepQueues(steps.length)
  for (let i = 0; i < side; i++) {
    for (const cell of [i, (side - 1) * side + i, i * side, i * side + side - 1]) {
      if (downstream[cell] !== -1) continue
      downstream[cell] = cell
      queues.push(cell, steps[cell] as number)
    }
  }
  let taken = 0
  for (let cell = queues.take(); cell !== -1; cell = queues.take()) {
    order[taken++] = cell
    for (const neighbour of neighboursOf(cell, side)) {
      if (neighbour === -1 || downstream[neighbour] !== -1) continue
      downstream[neighbour] = cell
      filled[neighbour] = Math.max(steps[neighbour] as number, filled[cell] as number)
      queues.push(neighbour, filled[neighbour] as number)
    }
  }
  return { downstream, filled, order }
}

const four = new Int32Array(4)

/** The cells above, below, left and right, -1 beyond the edge; one array is used again and again. */
function neighboursOf(cell: number, side: number): Int32Array {
  const col = cell % side
  four[0] = cell >= side ? cell - side : -1
  four[1] = cell < side * (side - 1) ? cell + side : -1
  four[2] = col > 0 ? cell - 1 : -1
  four[3] = col < side - 1 ? cell + 1 : -1
  return four
}

/** One first-in, first-out queue per height step, as linked lists; the lowest is taken from first. */
class StepQueues {
  readonly #next: Int32Array
  readonly #heads = new Int32Array(heightSteps).fill(-1)
  readonly #tails = new Int32Array(heightSteps).fill(-1)
  #lowest = 0

  constructor(cells: number) {
    this.#next = new Int32Array(cells).fill(-1)
  }

  push(cell: number, step: number): void {
    const tail = this.#tails[step] as number
    if (tail === -1) this.#heads[step] = cell
    else this.#next[tail] = cell
    this.#tails[step] = cell
    this.#lowest = Math.min(this.#lowest, step)
  }

  take(): number {
    while (this.#lowest < heightSteps && this.#heads[this.#lowest] === -1) this.#lowest++
    const cell = this.#heads[this.#lowest] ?? -1
    if (cell === -1) return -1
    this.#heads[this.#lowest] = this.#next[cell] as number
    if (this.#heads[this.#lowest] === -1) this.#tails[this.#lowest] = -1
    return cell
  }
}

/** The cells that drain through an outlet, 1 each, others 0. They hang together by their sides and enclose no other cell. */
export function basinOf({ downstream, order }: Drainage, outlet: number): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(order.length)
  for (let i = 0; i < order.length; i++) {
    const cell = order[i] as number
    mask[cell] = cell === outlet ? 1 : (mask[downstream[cell] as number] as number)
  }
  return mask
}

/**
 * The outline of a mask's cells as a closed ring of [col, row] corners, with the cells on its left as row grows downward. It may
 * pass a corner twice where two cells meet only there.
 */
export function outlineOf(mask: Uint8Array, side: number): [col: number, row: number][] {
  const isIn = (col: number, row: number) =>
    col >= 0 && row >= 0 && col < side && row < side && mask[row * side + col] === 1
  const first = mask.indexOf(1)
  const start: [number, number] = [first % side, Math.floor(first / side)]
  const ring: [number, number][] = [start]
  let [col, row] = start
  let [stepCol, stepRow] = [1, 0] // along the top of the topmost, leftmost cell, with the cell on the right hand
  do {
    col += stepCol
    row += stepRow
    // The two cells ahead: on the right hand, where the mask should be, and on the left.
    const ahead = (hand: number): [number, number] => [
      col + (stepCol - hand * stepRow - 1) / 2,
      row + (stepRow + hand * stepCol - 1) / 2,
    ]
    const [right, left] = [isIn(...ahead(1)), isIn(...ahead(-1))]
    if (right && !left) continue
    ring.push([col, row])
    if (right) [stepCol, stepRow] = [stepRow, -stepCol]
    else [stepCol, stepRow] = [-stepRow, stepCol]
  } while (col !== start[0] || row !== start[1] || stepCol !== 1 || stepRow !== 0)
  return ring
}
