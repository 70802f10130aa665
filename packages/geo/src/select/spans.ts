import type { CellWindow } from '../grid/grid.ts'
import type { Selection } from './selection.ts'

/**
 * The columns selected in each row of a window: `spans[i]` belongs to row `window.row + i` and holds starts and ends (the
 * first column after) in turn, ascending, apart from one another and within the window.
 */
export type RowSpans = readonly (readonly number[])[]

/**
 * Selects the cells of a window of the grid. Work and memory are those of the window's rows and the edges that cross them, so a
 * large area is selected band by band.
 *
 * `centre` is a scanline through the centres of each row (y = row + 0.5): the edges that cross it, sorted, are taken in pairs,
 * and a pair selects the columns whose centre lies in (left, right]. Edges count from their upper end to just above their
 * lower end, so two areas that share a boundary share no cell and leave none out. This is what `gdal_rasterize` burns, but for a
 * level edge exactly along a row of centres, which GDAL also burns where it runs from right to left.
 *
 * `overlap` adds every cell whose inside an edge passes through; an edge along the line between two cells adds neither.
 * `gdal_rasterize -at` is the same, but for overlaps narrower than a hundredth of a cell, some of which it leaves out.
 *
 * Rings of one polygon are taken even-odd, so holes are holes. Polygons of one area are united: a cell in several counts once.
 */
export function spansOf(selection: Selection, window: CellWindow): RowSpans {
  const spans: number[][] = Array.from({ length: window.rows }, () => [])
  const crossings: number[][] = Array.from({ length: window.rows }, () => [])
  const { edges, parts } = selection
  for (let edge = 0; edge < parts.length; edge++) {
    const [x0, y0, x1, y1] = edges.subarray(4 * edge, 4 * edge + 4) as unknown as [number, number, number, number]
    addCrossings(crossings, window, [x0, y0, x1, y1])
    if (selection.rule === 'overlap') addTouched(spans, window, [x0, y0, x1, y1])
    if (parts[edge] !== parts[edge + 1]) closePart(crossings, spans, window)
  }
  return spans.map((row) => unite(row, window))
}

type Edge = readonly [x0: number, y0: number, x1: number, y1: number]

// Notes where the edge crosses the centre line of each row: rows from the upper end to just above the lower end.
function addCrossings(crossings: number[][], window: CellWindow, [x0, y0, x1, y1]: Edge): void {
  if (y0 === y1) return
  const isDown = y0 < y1
  const [topX, topY, bottomX, bottomY] = isDown ? [x0, y0, x1, y1] : [x1, y1, x0, y0]
  const first = Math.max(Math.ceil(topY - 0.5), window.row)
  const end = Math.min(Math.ceil(bottomY - 0.5), window.row + window.rows)
  for (let row = first; row < end; row++) {
    // GDAL's own order of operations (alg/llrasterize.cpp), so that both round alike.
    const x = ((row + 0.5 - topY) * (bottomX - topX)) / (bottomY - topY) + topX
    crossings[row - window.row]?.push(x)
  }
}

// A polygon's rings are closed, so each line is crossed an even number of times.
function closePart(crossings: number[][], spans: number[][], window: CellWindow): void {
  for (let i = 0; i < window.rows; i++) {
    const row = crossings[i]
    if (!row || row.length === 0) continue
    row.sort((one, other) => one - other)
    for (let pair = 0; pair + 1 < row.length; pair += 2) {
      const start = Math.floor((row[pair] as number) + 0.5)
      const end = Math.floor((row[pair + 1] as number) + 0.5)
      if (end > start) spans[i]?.push(start, end)
    }
    row.length = 0
  }
}

// Adds the cells whose inside the edge passes through, row by row.
function addTouched(spans: number[][], window: CellWindow, [x0, y0, x1, y1]: Edge): void {
  const [topX, topY, bottomX, bottomY] = y0 < y1 ? [x0, y0, x1, y1] : [x1, y1, x0, y0]
  if (topY === bottomY && Number.isInteger(topY)) return // along the line between two rows
  const first = Math.max(Math.floor(topY), window.row)
  const last = Math.min(topY === bottomY ? Math.floor(topY) : Math.ceil(bottomY) - 1, window.row + window.rows - 1)
  const slope = topY === bottomY ? 0 : (bottomX - topX) / (bottomY - topY)
  for (let row = first; row <= last; row++) {
    const from = row <= topY ? topX : topX + (row - topY) * slope
    const to = row + 1 >= bottomY ? bottomX : topX + (row + 1 - topY) * slope
    const start = Math.floor(Math.min(from, to))
    const end = from === to ? start + (Number.isInteger(from) ? 0 : 1) : Math.ceil(Math.max(from, to))
    if (end > start) spans[row - window.row]?.push(start, end)
  }
}

// Sorts spans, joins those that meet, and cuts them to the window's columns.
function unite(row: number[], window: CellWindow): number[] {
  if (row.length === 0) return row
  const starts = Array.from({ length: row.length / 2 }, (_, i) => i * 2).sort(
    (one, other) => (row[one] as number) - (row[other] as number),
  )
  const [least, most] = [window.col, window.col + window.cols]
  const united: number[] = []
  for (const at of starts) {
    const start = Math.max(row[at] as number, least)
    const end = Math.min(row[at + 1] as number, most)
    if (end <= start) continue
    const before = united.at(-1)
    if (before !== undefined && start <= before) united[united.length - 1] = Math.max(before, end)
    else united.push(start, end)
  }
  return united
}

/** How many cells spans select between two columns. */
export function countSpans(spans: RowSpans, startCol: number, endCol: number): number {
  let cells = 0
  for (const row of spans) {
    for (let i = 0; i < row.length; i += 2) {
      cells += Math.max(0, Math.min(row[i + 1] as number, endCol) - Math.max(row[i] as number, startCol))
    }
  }
  return cells
}
