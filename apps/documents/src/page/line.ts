import type { Box, DocumentTable, DocumentWord } from '@headrace/wire'
import { isWithin } from '../table/find-tables.ts'

/** Words that stand on one line, with the box around them. */
export type Line = { readonly words: readonly DocumentWord[]; readonly text: string; readonly box: Box }

/** The lines of a page in reading order; those of tables are left out where tables are given. */
export function linesOf(words: readonly DocumentWord[], tables: readonly DocumentTable[] = []): Line[] {
  const outside = words.filter((word) => !tables.some(({ box }) => isWithin(word, box)))
  const byLine = Map.groupBy(outside, ({ line }) => line)
  return [...byLine.values()].map((words) => ({
    words,
    text: words.map(({ text }) => text).join(' '),
    box: boxAround(words),
  }))
}

export function boxAround(words: readonly { readonly box: Box }[]): Box {
  return [
    Math.min(...words.map(({ box }) => box[0])),
    Math.min(...words.map(({ box }) => box[1])),
    Math.max(...words.map(({ box }) => box[2])),
    Math.max(...words.map(({ box }) => box[3])),
  ]
}

export function heightOf([, top, , bottom]: Box): number {
  return bottom - top
}

/** Of numbers that may be none: 0 then. */
export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
