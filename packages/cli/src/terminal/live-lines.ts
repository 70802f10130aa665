import type { Terminal } from './terminal.ts'

/** Some lines that are drawn again in place, on a terminal; on anything else, the first line when it has changed. */
export interface LiveLines {
  show(lines: readonly string[]): void
  /** Leaves what was last shown standing; what is shown after that is too late, and is not. */
  end(): void
}

/** Someone who reads a log of it wants to see that it goes on, and no more. */
const PLAIN_EVERY_MS = 2_000

export function liveLines(terminal: Terminal, now: () => number = () => performance.now()): LiveLines {
  return terminal.isLive ? drawnLines(terminal) : plainLines(terminal, now)
}

function drawnLines(terminal: Terminal): LiveLines {
  let height = 0
  let hasEnded = false
  return {
    show(lines) {
      if (hasEnded) return
      const up = height > 0 ? `\x1b[${height}A` : ''
      const drawn = lines.map((line) => `${cut(line, terminal.liveColumns)}\x1b[K\n`).join('')
      terminal.draw(`${up}${drawn}\x1b[J`)
      height = lines.length
    },
    end() {
      hasEnded = true
    },
  }
}

function plainLines(terminal: Terminal, now: () => number): LiveLines {
  let shown = ''
  let shownAt = Number.NEGATIVE_INFINITY
  let pending: string | undefined
  let hasEnded = false
  const write = (line: string) => {
    terminal.note(line)
    shown = line
    shownAt = now()
    pending = undefined
  }
  return {
    show([line = '']) {
      if (hasEnded || line === shown) return
      if (now() - shownAt >= PLAIN_EVERY_MS) write(line)
      else pending = line
    },
    end() {
      hasEnded = true
      if (pending !== undefined) write(pending)
    },
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape begins with one
const COLOR = /(\u001b\[[\d;]*m)/

/** A line that wraps would take two, and the next drawing would begin in the wrong place. Colours take no room. */
function cut(line: string, columns: number): string {
  let left = columns - 1
  return line
    .split(COLOR)
    .map((part, index) => {
      if (index % 2 === 1) return part
      const shown = [...part].slice(0, left)
      left -= shown.length
      return shown.join('')
    })
    .join('')
}
