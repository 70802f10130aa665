/** A line, or a piece of one that was too long; `isCut` says that the next one goes on where this ends. */
export type Line = { readonly text: string; readonly isCut: boolean }

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

/**
 * Makes lines of bytes as they come, holding back at most `lineBytesMax` of them. A longer line comes in pieces, cut
 * between characters, and nothing is lost. Both `\n` and `\r\n` end a line; bytes that are no UTF-8 become U+FFFD.
 */
export class LineSplitter {
  readonly #lineBytesMax: number
  #held: Buffer[] = []
  #heldBytes = 0

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  push(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#hold(chunk.subarray(start, end), lines)
      lines.push({ text: withoutCarriageReturn(this.#take()).toString(), isCut: false })
      start = end + 1
    }
    this.#hold(chunk.subarray(start), lines)
    return lines
  }

  /** What is left when the bytes end without a newline. */
  end(): Line[] {
    return this.#heldBytes === 0 ? [] : [{ text: this.#take().toString(), isCut: false }]
  }

  #hold(bytes: Buffer, lines: Line[]): void {
    this.#held.push(bytes)
    this.#heldBytes += bytes.byteLength
    if (this.#heldBytes > this.#lineBytesMax) this.#cut(lines)
  }

  #cut(lines: Line[]): void {
    let rest = this.#take()
    while (rest.byteLength > this.#lineBytesMax) {
      const position = characterBoundary(rest, this.#lineBytesMax)
      lines.push({ text: rest.toString('utf8', 0, position), isCut: true })
      rest = rest.subarray(position)
    }
    this.#held = [rest]
    this.#heldBytes = rest.byteLength
  }

  #take(): Buffer {
    const [first = Buffer.alloc(0)] = this.#held
    const taken = this.#held.length > 1 ? Buffer.concat(this.#held) : first
    this.#held = []
    this.#heldBytes = 0
    return taken
  }
}

/** The last position up to `position` where a UTF-8 character starts; `position` itself where the bytes are no UTF-8. */
function characterBoundary(bytes: Buffer, position: number): number {
  for (let boundary = position; boundary > Math.max(0, position - 4); boundary--)
    if (((bytes[boundary] ?? 0) & 0xc0) !== 0x80) return boundary
  return position
}

function withoutCarriageReturn(line: Buffer): Buffer {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line
}
