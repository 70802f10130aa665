import type { DocumentTable, DocumentWord } from '@headrace/wire'
import { escapeMarkdown, markdownTable } from '../flat/html-text.ts'
import { rowsOfTable } from '../table/find-tables.ts'
import { heightOf, type Line, linesOf, medianOf } from './line.ts'

/** Of the usual distance from line to line: a larger one begins a paragraph. */
const PARAGRAPH_PITCH = 1.4
/** Of the lines' usual height: a taller line is a heading. */
const HEADING_HEIGHT = 1.35
const TITLE_HEIGHT = 1.8
const HEADING_LENGTH_MAX = 120

/** The text of a page, line by line; an empty line between paragraphs. */
export function textOfPage(words: readonly DocumentWord[]): string {
  return paragraphsOf(linesOf(words))
    .map((lines) => lines.map(({ text }) => text).join('\n'))
    .join('\n\n')
}

/** A page as Markdown: headings by the height of their letters, paragraphs, and its ruled tables. */
export function markdownOfPage(words: readonly DocumentWord[], tables: readonly DocumentTable[]): string {
  const lines = linesOf(words, tables)
  const usual = medianOf(lines.map(({ box }) => heightOf(box)))
  const blocks = paragraphsOf(lines).map((lines) => ({
    top: lines[0]?.box[1] ?? 0,
    text: paragraphAsMarkdown(lines, usual),
  }))
  const drawn = tables.map((table) => ({
    top: table.box[1],
    text: markdownTable(rowsOfTable(table).map((row) => row.map(escapeMarkdown))),
  }))
  return placed(blocks, drawn).join('\n\n')
}

type Block = { readonly top: number; readonly text: string }

/** Each table before the first paragraph that begins below it; paragraphs keep the order in which they are read. */
function placed(blocks: readonly Block[], tables: readonly Block[]): string[] {
  const left = tables.toSorted((a, b) => a.top - b.top)
  const texts: string[] = []
  for (const { top, text } of blocks) {
    while (left[0] !== undefined && left[0].top < top) texts.push(left.shift()?.text ?? '')
    texts.push(text)
  }
  return [...texts, ...left.map(({ text }) => text)]
}

function paragraphsOf(lines: readonly Line[]): Line[][] {
  const usual = medianOf(lines.map(({ box }) => heightOf(box)))
  const pitches = lines.slice(1).map((line, index) => middleOf(line) - middleOf(lines[index] ?? line))
  const usualPitch = medianOf(pitches.filter((pitch) => pitch > usual / 2))
  const paragraphs: Line[][] = []
  for (const [index, line] of lines.entries()) {
    const last = lines[index - 1]
    const pitch = pitches[index - 1] ?? 0
    const goesOn = last !== undefined && pitch > -usual / 2 && pitch <= PARAGRAPH_PITCH * usualPitch
    if (goesOn && isHeading(line, usual) === isHeading(last, usual)) paragraphs.at(-1)?.push(line)
    else paragraphs.push([line])
  }
  return paragraphs
}

function middleOf({ box: [, top, , bottom] }: Line): number {
  return (top + bottom) / 2
}

function paragraphAsMarkdown(lines: readonly Line[], usual: number): string {
  const text = escapeMarkdown(lines.map((line) => line.text).join(' '))
  const [first] = lines
  if (first === undefined || !isHeading(first, usual)) return text
  return `${heightOf(first.box) > TITLE_HEIGHT * usual ? '#' : '##'} ${text}`
}

function isHeading({ box, text }: Line, usual: number): boolean {
  return heightOf(box) > HEADING_HEIGHT * usual && text.length <= HEADING_LENGTH_MAX
}
