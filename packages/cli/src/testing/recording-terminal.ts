import type { Terminal } from '../terminal/terminal.ts'

/** A terminal that keeps what is said, in the order in which it is said. */
export function recordingTerminal(more: Partial<Terminal> = {}): Terminal & { readonly said: string[] } {
  const said: string[] = []
  const keep = (text: string) => void said.push(text)
  const plain = (_style: unknown, text: string) => text
  return {
    said,
    out: keep,
    note: keep,
    draw: keep,
    isLive: false,
    liveColumns: 80,
    columns: Number.POSITIVE_INFINITY,
    paint: plain,
    paintNote: plain,
    ...more,
  }
}
