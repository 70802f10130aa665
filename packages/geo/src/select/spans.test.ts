import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Grid } from '../grid/grid.ts'
import { gdalMask, skipWithoutGdal } from '../testing/gdal.ts'
import { repeatLine, seed, seededRandom } from '../testing/seeded-random.ts'
import { type CellRule, type Polygons, selectPolygons, windowOfSelection } from './selection.ts'
import { countSpans, spansOf } from './spans.ts'

type Position = [number, number]

/** A grid whose cells are 1 × 1, with its top left corner at (0, rows), so that y points up as on a map. */
const unitGrid = (rows: number, cols: number): Grid => ({ rows, cols, left: 0, top: rows, cellWidth: 1, cellHeight: 1 })

const ring = (...corners: Position[]): Position[] => [...corners, corners[0] as Position]

const square = (left: number, bottom: number, right: number, top: number): Position[] =>
  ring([left, bottom], [right, bottom], [right, top], [left, top])

/** The selected cells as rows of text, # for selected. */
function picture(polygons: Polygons, grid: Grid, rule: CellRule): string[] {
  const selection = selectPolygons(polygons, { grid, rule })
  const spans = spansOf(selection, { row: 0, col: 0, rows: grid.rows, cols: grid.cols })
  return spans.map((row) => {
    const cells = Array<string>(grid.cols).fill('.')
    for (let i = 0; i < row.length; i += 2) cells.fill('#', row[i], row[i + 1])
    return cells.join('')
  })
}

test('a cell is selected by its centre', () => {
  const polygon = [square(0.4, 0.6, 2.4, 2.6)]
  assert.deepEqual(picture([polygon], unitGrid(3, 3), 'centre'), ['##.', '##.', '...'])
})

test('a cell is selected by any overlap', () => {
  const polygon = [square(0.4, 0.6, 2.4, 2.6)]
  assert.deepEqual(picture([polygon], unitGrid(3, 3), 'overlap'), ['###', '###', '###'])
})

test('an edge along the line between cells touches neither side', () => {
  const polygon = [square(1, 1, 3, 3)]
  assert.deepEqual(picture([polygon], unitGrid(4, 4), 'overlap'), ['....', '.##.', '.##.', '....'])
})

test('a hole is not selected, and its partly covered cells are by overlap only', () => {
  const polygon = [square(0, 0, 4, 4), square(0.9, 0.9, 3.1, 3.1)]
  assert.deepEqual(picture([polygon], unitGrid(4, 4), 'centre'), ['####', '#..#', '#..#', '####'])
  const wide = [square(0, 0, 4, 4), square(1.1, 1.1, 2.9, 2.9)]
  assert.deepEqual(picture([wide], unitGrid(4, 4), 'overlap'), ['####', '####', '####', '####'])
})

test('a cell in two overlapping polygons is selected once', () => {
  const polygons = [[square(0, 0, 3, 3)], [square(1, 1, 4, 4)]]
  const selection = selectPolygons(polygons, { grid: unitGrid(4, 4), rule: 'centre' })
  const spans = spansOf(selection, { row: 0, col: 0, rows: 4, cols: 4 })
  assert.equal(countSpans(spans, 0, 4), 9 + 9 - 4)
})

test('polygons that share a boundary through cell centres share no cell and leave none out', () => {
  const grid = unitGrid(4, 4)
  const quarters = [square(0, 0, 1.5, 1.5), square(1.5, 0, 4, 1.5), square(0, 1.5, 1.5, 4), square(1.5, 1.5, 4, 4)]
  const cells = quarters.map((quarter) => {
    return countSpans(
      spansOf(selectPolygons([[quarter]], { grid, rule: 'centre' }), { row: 0, col: 0, rows: 4, cols: 4 }),
      0,
      4,
    )
  })
  assert.deepEqual(
    cells.reduce((sum, count) => sum + count),
    16,
  )
})

test('the direction of a ring changes nothing', () => {
  const polygon = [ring([0.5, 0.5], [3.5, 0.5], [2.5, 3.5])]
  const reversed = polygon.map((positions) => positions.toReversed())
  for (const rule of ['centre', 'overlap'] as const) {
    assert.deepEqual(picture([polygon], unitGrid(4, 4), rule), picture([reversed], unitGrid(4, 4), rule))
  }
})

test('a window selects the same cells as the whole', () => {
  const random = seededRandom(seed)
  const grid = unitGrid(40, 40)
  const polygons = [randomPolygon(random, 20, 20, 25)]
  for (const rule of ['centre', 'overlap'] as const) {
    const selection = selectPolygons(polygons, { grid, rule })
    const whole = spansOf(selection, { row: 0, col: 0, rows: 40, cols: 40 })
    for (const [row, col] of [
      [0, 0],
      [0, 20],
      [20, 0],
      [20, 20],
    ] as const) {
      const part = spansOf(selection, { row, col, rows: 20, cols: 20 })
      assert.equal(
        countSpans(part, 0, 40),
        countSpans(whole.slice(row, row + 20), col, col + 20),
        repeatLine('select/spans.test.ts'),
      )
    }
  }
})

test('the window of a selection holds every cell that it selects', () => {
  const selection = selectPolygons([[square(1.2, 0.5, 3.7, 2.5)]], { grid: unitGrid(4, 5), rule: 'overlap' })
  assert.deepEqual(windowOfSelection(selection), { row: 1, col: 1, rows: 3, cols: 3 })
})

// A star around a point: radii vary, angles grow, so it does not cross itself.
function randomPolygon(random: () => number, x: number, y: number, reach: number): Position[][] {
  const star = (radius: number): Position[] => {
    const corners = 3 + Math.floor(random() * 12)
    const angles = Array.from({ length: corners }, () => random() * 2 * Math.PI).sort((one, other) => one - other)
    return ring(
      ...angles.map((angle): Position => {
        const distance = radius * (0.3 + 0.7 * random())
        return [x + distance * Math.cos(angle), y + distance * Math.sin(angle)]
      }),
    )
  }
  return [star(reach)]
}

// By definition: whether a point is inside, counting the edges to its left; no scanline, no spans.
function isInside([x, y]: Position, polygons: Polygons): boolean {
  return polygons.some((polygon) => {
    let crossings = 0
    for (const positions of polygon) {
      for (let i = 1; i < positions.length; i++) {
        const [[x0, y0], [x1, y1]] = [positions[i - 1] as Position, positions[i] as Position]
        if (y0 > y === y1 > y) continue
        if (x0 + ((y - y0) * (x1 - x0)) / (y1 - y0) < x) crossings++
      }
    }
    return crossings % 2 === 1
  })
}

test('on random polygons the centre rule is what point in polygon says', () => {
  const random = seededRandom(seed)
  for (let round = 0; round < 300; round++) {
    const grid = unitGrid(24, 24)
    const polygons = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
      return randomPolygon(random, random() * 24, random() * 24, 2 + random() * 16)
    })
    const rows = picture(polygons, grid, 'centre')
    for (let row = 0; row < 24; row++) {
      for (let col = 0; col < 24; col++) {
        const expected = isInside([col + 0.5, 24 - row - 0.5], polygons) ? '#' : '.'
        assert.equal(
          rows[row]?.[col],
          expected,
          `round ${round}, row ${row}, column ${col}: ${repeatLine('select/spans.test.ts')}`,
        )
      }
    }
  }
})

// By definition: the part of the polygon within a cell has an area. Sutherland and Hodgman's clipping of a single ring.
function overlapArea(positions: readonly Position[], row: number, col: number): number {
  let clipped = positions.slice(1) as Position[]
  const sides: ((p: Position) => number)[] = [
    ([x]) => x - col,
    ([x]) => col + 1 - x,
    ([, y]) => y - row,
    ([, y]) => row + 1 - y,
  ]
  for (const side of sides) {
    const next: Position[] = []
    for (const [i, to] of clipped.entries()) {
      const from = clipped.at(i - 1) as Position
      const [before, after] = [side(from), side(to)]
      const share = before / (before - after)
      if (before >= 0 !== after >= 0)
        next.push([from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])])
      if (after >= 0) next.push(to)
    }
    clipped = next
  }
  let twice = 0
  for (const [i, to] of clipped.entries()) {
    const from = clipped.at(i - 1) as Position
    twice += from[0] * to[1] - to[0] * from[1]
  }
  return Math.abs(twice) / 2
}

test('on random polygons the overlap rule takes the cells of which they cover some area', () => {
  const random = seededRandom(seed + 1)
  for (let round = 0; round < 150; round++) {
    const polygon = randomPolygon(random, random() * 20, random() * 20, 2 + random() * 12)
    const inCells = (polygon[0] as Position[]).map(([x, y]): Position => [x, 20 - y])
    const rows = picture([polygon], unitGrid(20, 20), 'overlap')
    for (let row = 0; row < 20; row++) {
      for (let col = 0; col < 20; col++) {
        const area = overlapArea(inCells, row, col)
        if (area > 0 && area < 1e-12) continue // below rounding, either answer is right
        assert.equal(
          rows[row]?.[col] === '#',
          area > 0,
          `round ${round}, row ${row}, column ${col}: ${repeatLine('select/spans.test.ts')}`,
        )
      }
    }
  }
})

test('on random polygons both rules are what gdal_rasterize burns', { skip: skipWithoutGdal }, () => {
  const random = seededRandom(seed + 2)
  for (let round = 0; round < 12; round++) {
    const grid: Grid = { rows: 180, cols: 220, left: 1000, top: 9000, cellWidth: 30, cellHeight: 20 }
    const polygons = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
      const polygon = randomPolygon(random, 1000 + random() * 6600, 5400 + random() * 3600, 300 + random() * 2500)
      return polygon
    })
    const message = `round ${round}: ${repeatLine('select/spans.test.ts')}`
    assert.equal(differences(polygons, grid, 'centre').length, 0, message)
    for (const at of differences(polygons, grid, 'overlap')) {
      // GDAL leaves out what reaches less than a hundredth of a cell into it (EPSILON_INTERSECT_FRACTION in alg/llrasterize.cpp).
      assert.ok(reachIntoCell(polygons, grid, at) < 0.0101, `${message}, row ${at.row}, column ${at.col}`)
    }
  }
})

function differences(polygons: Polygons, grid: Grid, rule: CellRule): { row: number; col: number }[] {
  const mask = gdalMask(polygons, grid, rule)
  const rows = picture(polygons, grid, rule)
  const found: { row: number; col: number }[] = []
  for (let row = 0; row < grid.rows; row++) {
    for (let col = 0; col < grid.cols; col++) {
      if ((rows[row]?.[col] === '#') !== (mask[row * grid.cols + col] === 1)) found.push({ row, col })
    }
  }
  return found
}

// How far, in cells, the edges reach into a cell in the direction in which they reach least.
function reachIntoCell(polygons: Polygons, grid: Grid, { row, col }: { row: number; col: number }): number {
  let most = 0
  for (const positions of polygons.flat()) {
    const inCells = positions.map(
      ([x, y]): Position => [(x - grid.left) / grid.cellWidth, (grid.top - y) / grid.cellHeight],
    )
    for (let i = 1; i < inCells.length; i++) {
      const within = clipSegment(inCells[i - 1] as Position, inCells[i] as Position, row, col)
      if (within)
        most = Math.max(most, Math.min(Math.abs(within[0][0] - within[1][0]), Math.abs(within[0][1] - within[1][1])))
    }
  }
  return most
}

// Liang and Barsky's clipping of a segment to a cell.
function clipSegment(from: Position, to: Position, row: number, col: number): [Position, Position] | undefined {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]]
  let [start, end] = [0, 1]
  for (const [step, room] of [
    [-dx, from[0] - col],
    [dx, col + 1 - from[0]],
    [-dy, from[1] - row],
    [dy, row + 1 - from[1]],
  ] as const) {
    if (step === 0 && room < 0) return undefined
    if (step < 0) start = Math.max(start, room / step)
    if (step > 0) end = Math.min(end, room / step)
  }
  if (start > end) return undefined
  const at = (share: number): Position => [from[0] + share * dx, from[1] + share * dy]
  return [at(start), at(end)]
}
