import type { Box, DocumentCell, DocumentTable, DocumentWord } from '@headrace/wire'
import type { Rule, Rules } from './rules.ts'

/** A table's lines, before its words are known. */
export type Grid = {
  /** Edges of the columns and rows in pixels, ascending; one more than there are columns and rows. */
  readonly xs: readonly number[]
  readonly ys: readonly number[]
  readonly rules: Rules
}

/** How far lines may miss each other, and still meet. In pixels. */
export type Tolerance = number

/**
 * Tables are where level and upright lines cross: each connected set of lines with at least two rows or two columns.
 * @param near how far from each other lines still meet, in pixels
 */
export function findGrids(rules: Rules, near: Tolerance): readonly Grid[] {
  return connectedSets(rules, near)
    .map((set) => ({ xs: edgesOf(set.upright, near), ys: edgesOf(set.level, near), rules: set }))
    .filter(({ xs, ys }) => xs.length >= 2 && ys.length >= 2 && xs.length + ys.length >= 5)
}

/** Puts words into the cells of a grid; cells without a line between them are one. */
export function fillTable(grid: Grid, words: readonly DocumentWord[], near: Tolerance): DocumentTable {
  const { xs, ys } = grid
  const cells = mergedCells(grid, near).map(({ row, column, rowSpan, columnSpan }): DocumentCell => {
    const box: Box = [xs[column] ?? 0, ys[row] ?? 0, xs[column + columnSpan] ?? 0, ys[row + rowSpan] ?? 0]
    return { row, column, rowSpan, columnSpan, text: textWithin(words, box), box: roundBox(box) }
  })
  return {
    box: roundBox([xs[0] ?? 0, ys[0] ?? 0, xs.at(-1) ?? 0, ys.at(-1) ?? 0]),
    rows: ys.length - 1,
    columns: xs.length - 1,
    cells,
  }
}

/** The rows of a table as texts; a cell that spans several is in the first of them. */
export function rowsOfTable({ rows, columns, cells }: DocumentTable): string[][] {
  const texts = Array.from({ length: rows }, () => Array.from({ length: columns }, () => ''))
  for (const { row, column, text } of cells) {
    const line = texts[row]
    if (line) line[column] = text
  }
  return texts
}

/** Whether a word's middle lies in a box. */
export function isWithin({ box: [left, top, right, bottom] }: DocumentWord, box: Box): boolean {
  const [x, y] = [(left + right) / 2, (top + bottom) / 2]
  return x >= box[0] && x < box[2] && y >= box[1] && y < box[3]
}

function textWithin(words: readonly DocumentWord[], box: Box): string {
  const inside = words.filter((word) => isWithin(word, box))
  // By line, and within it from the left: readers of pictures sometimes take a row of cells for one line.
  return inside
    .map((word, index) => ({ word, index }))
    .sort((a, b) =>
      overlapsInHeight(a.word.box, b.word.box) ? a.word.box[0] - b.word.box[0] : a.word.box[1] - b.word.box[1],
    )
    .map(({ word }) => word.text)
    .join(' ')
}

function overlapsInHeight([, topA, , bottomA]: Box, [, topB, , bottomB]: Box): boolean {
  return Math.min(bottomA, bottomB) - Math.max(topA, topB) > 0.5 * Math.min(bottomA - topA, bottomB - topB)
}

function connectedSets({ level, upright }: Rules, near: Tolerance): Rules[] {
  const groups = new Groups(level.length + upright.length)
  for (const [row, a] of level.entries()) {
    for (const [column, b] of upright.entries()) if (cross(a, b, near)) groups.join(row, level.length + column)
  }
  const sets = new Map<number, { level: Rule[]; upright: Rule[] }>()
  for (const [index, rule] of [...level, ...upright].entries()) {
    const root = groups.rootOf(index)
    const set = sets.get(root) ?? { level: [], upright: [] }
    set[index < level.length ? 'level' : 'upright'].push(rule)
    sets.set(root, set)
  }
  return [...sets.values()]
}

function cross(level: Rule, upright: Rule, near: Tolerance): boolean {
  const reachesX = upright.at >= level.from - near && upright.at <= level.to + near
  const reachesY = level.at >= upright.from - near && level.at <= upright.to + near
  return reachesX && reachesY
}

function edgesOf(rules: readonly Rule[], near: Tolerance): number[] {
  const edges: number[] = []
  for (const at of rules.map((rule) => rule.at).sort((a, b) => a - b)) {
    const last = edges.at(-1)
    if (last === undefined || at - last > near * 2) edges.push(at)
  }
  return edges
}

type Span = { row: number; column: number; rowSpan: number; columnSpan: number }

function mergedCells({ xs, ys, rules }: Grid, near: Tolerance): Span[] {
  const [columns, rows] = [xs.length - 1, ys.length - 1]
  const groups = new Groups(rows * columns)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column
      const [left, right] = [xs[column] ?? 0, xs[column + 1] ?? 0]
      const [top, bottom] = [ys[row] ?? 0, ys[row + 1] ?? 0]
      if (column + 1 < columns && !isDrawn(rules.upright, right, top, bottom, near)) groups.join(at, at + 1)
      if (row + 1 < rows && !isDrawn(rules.level, bottom, left, right, near)) groups.join(at, at + columns)
    }
  }
  const spans = new Map<number, { top: number; bottom: number; left: number; right: number }>()
  for (let at = 0; at < rows * columns; at++) {
    const [row, column] = [Math.floor(at / columns), at % columns]
    const root = groups.rootOf(at)
    const span = spans.get(root)
    spans.set(root, {
      top: Math.min(span?.top ?? row, row),
      bottom: Math.max(span?.bottom ?? row, row),
      left: Math.min(span?.left ?? column, column),
      right: Math.max(span?.right ?? column, column),
    })
  }
  return [...spans.values()].map(({ top, bottom, left, right }) => ({
    row: top,
    column: left,
    rowSpan: bottom - top + 1,
    columnSpan: right - left + 1,
  }))
}

/** Whether lines at `at` cover most of the way from one edge to the next. */
function isDrawn(rules: readonly Rule[], at: number, from: number, to: number, near: Tolerance): boolean {
  const covered = rules
    .filter((rule) => Math.abs(rule.at - at) <= near * 2)
    .reduce((sum, rule) => sum + Math.max(0, Math.min(rule.to, to) - Math.max(rule.from, from)), 0)
  return covered >= 0.6 * (to - from)
}

function roundBox([left, top, right, bottom]: Box): Box {
  return [Math.round(left), Math.round(top), Math.round(right), Math.round(bottom)]
}

/** Sets that are joined two by two. */
class Groups {
  readonly #parent: number[]
  constructor(size: number) {
    this.#parent = Array.from({ length: size }, (_, index) => index)
  }
  rootOf(index: number): number {
    let root = index
    while (this.#parent[root] !== root) root = this.#parent[root] ?? root
    for (let at = index; at !== root; ) {
      const next = this.#parent[at] ?? root
      this.#parent[at] = root
      at = next
    }
    return root
  }
  join(a: number, b: number): void {
    this.#parent[this.rootOf(b)] = this.rootOf(a)
  }
}
