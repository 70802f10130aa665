import type { DocumentTable, DocumentWord } from '@headrace/wire'
import { toBinary } from '../image/binary.ts'
import { type Raster, shrunkTo, toGrey } from '../image/raster.ts'
import { fillTable, findGrids, type Grid } from './find-tables.ts'
import { findRules } from './rules.ts'

/** Lines are looked for on a copy of about so many pixels on its long side: 150 dpi of a page of A4. */
const LONG_SIDE_PX = 1_754
// Of the long side.
const LENGTH_MIN_SHARE = 1 / 45
const THICKNESS_MAX_SHARE = 9 / LONG_SIDE_PX
const NEAR_SHARE = 5 / LONG_SIDE_PX

/** @returns grids in the pixels of `grey`, and how far from each other lines still meet */
export function ruledGrids(grey: Raster): { readonly grids: readonly Grid[]; readonly near: number } {
  const { small, times } = shrunkTo(grey, LONG_SIDE_PX)
  const longSide = Math.max(small.widthPx, small.heightPx)
  const rules = findRules(toBinary(small), {
    lengthMin: Math.round(longSide * LENGTH_MIN_SHARE),
    thicknessMax: Math.round(longSide * THICKNESS_MAX_SHARE),
  })
  const near = longSide * NEAR_SHARE
  return { grids: findGrids(rules, near).map((grid) => scaleGrid(grid, times)), near: near * times }
}

/** The tables of a page whose words are known already, in its pixels. */
export async function ruledTables(raster: Raster, words: readonly DocumentWord[]): Promise<readonly DocumentTable[]> {
  const { grids, near } = ruledGrids(await toGrey(raster))
  return grids.map((grid) => fillTable(grid, words, near))
}

export function scaleGrid({ xs, ys, rules }: Grid, scale: number): Grid {
  if (scale === 1) return { xs, ys, rules }
  const scaleRule = ({ at, from, to, thickness }: Grid['rules']['level'][number]) => ({
    at: at * scale,
    from: from * scale,
    to: to * scale,
    thickness: thickness * scale,
  })
  return {
    xs: xs.map((x) => x * scale),
    ys: ys.map((y) => y * scale),
    rules: { level: rules.level.map(scaleRule), upright: rules.upright.map(scaleRule) },
  }
}

/** The picture without the lines of its tables, which are read as letters where they touch some. */
export function eraseRules(grey: Raster, grids: readonly Grid[]): Raster {
  const data = Buffer.from(grey.data)
  const paper = 255
  const fill = (left: number, top: number, right: number, bottom: number) => {
    const [from, to] = [Math.max(0, Math.floor(left)), Math.min(grey.widthPx, Math.ceil(right))]
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(grey.heightPx, Math.ceil(bottom)); y++) {
      data.fill(paper, y * grey.widthPx + from, y * grey.widthPx + to)
    }
  }
  for (const { rules } of grids) {
    for (const { at, from, to, thickness } of rules.level)
      fill(from, at - thickness / 2 - 2, to, at + thickness / 2 + 3)
    for (const { at, from, to, thickness } of rules.upright)
      fill(at - thickness / 2 - 2, from, at + thickness / 2 + 3, to)
  }
  return { ...grey, data }
}
