import { oneLine } from './printable.ts'
import type { Style, Terminal } from './terminal.ts'

export type Column<Row> = {
  readonly title: string
  readonly text: (row: Row) => string
  readonly style?: (row: Row) => Style | undefined
  readonly align?: 'left' | 'right'
  /** Gives way when the table is wider than the terminal. */
  readonly isFlexible?: boolean
}

const GAP = '  '
const WIDTH_MIN = 8

/** Lines of columns, as wide as their widest cell; cut to the terminal's width, and never cut where none is known. */
export function table<Row>(terminal: Terminal, columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.text(row))))
  const widths = columns.map(({ title }, index) => Math.max(title.length, ...cells.map((line) => width(line[index]))))
  const fitted = fit(widths, columns, terminal.columns)
  const head = columns.map(({ title, align }, index) => pad(title, fitted[index] ?? 0, align))
  const body = cells.map((line, rowIndex) =>
    columns.map(({ align, style }, index) => {
      const text = pad(line[index] ?? '', fitted[index] ?? 0, align)
      const how = style?.(rows[rowIndex] as Row) // sound: cells has one line for each row
      return how ? terminal.paint(how, text) : text
    }),
  )
  return [terminal.paint('dim', head.join(GAP).trimEnd()), ...body.map((line) => line.join(GAP).trimEnd())].join('\n')
}

function fit(widths: readonly number[], columns: readonly Column<never>[], available: number): readonly number[] {
  const total = widths.reduce((sum, one) => sum + one, 0) + GAP.length * (widths.length - 1)
  let surplus = Math.max(0, total - available)
  return widths.map((one, index) => {
    if (!columns[index]?.isFlexible) return one
    const cut = Math.min(surplus, Math.max(0, one - WIDTH_MIN))
    surplus -= cut
    return one - cut
  })
}

function pad(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const characters = [...text]
  const cut = characters.length > columns ? `${characters.slice(0, columns - 1).join('')}…` : text
  const blank = ' '.repeat(Math.max(0, columns - width(cut)))
  return align === 'right' ? blank + cut : cut + blank
}

function width(text: string | undefined): number {
  return [...(text ?? '')].length
}
