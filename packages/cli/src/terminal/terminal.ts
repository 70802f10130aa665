import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Where a command speaks: results on stdout, everything else on stderr. */
export interface Terminal {
  /** One or more lines of the result. */
  out(text: string): void
  /** A line for people. */
  note(text: string): void
  /** Text on stderr without a line's end, for what is drawn again. */
  draw(text: string): void
  /** Whether a person watches stderr, so that drawing again makes sense. */
  readonly isLive: boolean
  /** Of stderr. */
  readonly liveColumns: number
  /** Of stdout; infinite when it is no terminal, for what reads it wants whole lines. */
  readonly columns: number
  /** For stdout; plain text where no colour is wanted. */
  paint(style: Style, text: string): string
  /** For stderr. */
  paintNote(style: Style, text: string): string
}

/**
 * The process's own streams. Colour is left out under NO_COLOR or TERM=dumb, and on a stream that is no terminal; FORCE_COLOR asks
 * for it all the same.
 */
export function processTerminal(process: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>): Terminal {
  const { stdout, stderr, env } = process
  const painter = (stream: NodeJS.WriteStream) => {
    const isColored = wantsColor(env, stream.isTTY)
    return (style: Style, text: string) => (isColored ? styleText(style, text, { validateStream: false }) : text)
  }
  return {
    out: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    draw: (text) => void stderr.write(text),
    isLive: Boolean(stderr.isTTY) && env.TERM !== 'dumb',
    liveColumns: stderr.columns || 80,
    columns: stdout.isTTY ? stdout.columns : Number.POSITIVE_INFINITY,
    paint: painter(stdout),
    paintNote: painter(stderr),
  }
}

function wantsColor(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return isTerminal && env.TERM !== 'dumb'
}
