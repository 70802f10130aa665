import type { LogLine } from '@headrace/wire'

/** The newest log lines; `dropped` older ones made room for them, and are in the download. */
export type LogBook = { readonly lines: readonly LogLine[]; readonly dropped: number }

export const LINES_MAX = 200_000

export function withLines(book: LogBook, added: readonly LogLine[], linesMax = LINES_MAX): LogBook {
  if (added.length === 0) return book
  const all = book.lines.concat(added)
  const excess = Math.max(0, all.length - linesMax)
  return { lines: excess > 0 ? all.slice(excess) : all, dropped: book.dropped + excess }
}

export type Level = LogLine['level']
export const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

export type LogFilter = {
  /** This level and graver ones. */
  readonly level: Level
  readonly text: string
  /** Lines of this job only. */
  readonly jobId?: string
  readonly attempt?: number
}

export function filterLines(lines: readonly LogLine[], filter: LogFilter): readonly LogLine[] {
  const rank = LEVELS.indexOf(filter.level)
  const text = filter.text.trim().toLowerCase()
  if (rank === 0 && text === '' && filter.jobId === undefined && filter.attempt === undefined) return lines
  return lines.filter(
    (line) =>
      LEVELS.indexOf(line.level) >= rank &&
      (filter.jobId === undefined || line.jobId === filter.jobId) &&
      (filter.attempt === undefined || line.attempt === filter.attempt) &&
      (text === '' || line.message.toLowerCase().includes(text)),
  )
}

/** A message cut at the places where `text` stands, so that those can be marked: every second part is a hit. */
export function partsAround(message: string, text: string): readonly string[] {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return [message]
  const parts: string[] = []
  const lower = message.toLowerCase()
  let from = 0
  for (let hit = lower.indexOf(wanted); hit >= 0; hit = lower.indexOf(wanted, from)) {
    parts.push(message.slice(from, hit), message.slice(hit, hit + wanted.length))
    from = hit + wanted.length
  }
  parts.push(message.slice(from))
  return parts
}
