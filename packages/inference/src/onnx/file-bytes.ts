import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const WINDOW_BYTES = 65_536

/** A file's bytes by position, of which a window is in memory: a model of gigabytes is looked through in little. */
export class FileBytes implements Disposable {
  readonly size: number
  readonly #file: number
  readonly #window = Buffer.alloc(WINDOW_BYTES)
  #start = 0
  #end = 0

  constructor(path: string) {
    this.#file = openSync(path, 'r')
    this.size = fstatSync(this.#file).size
  }

  /** @throws {RangeError} beyond the end */
  byteAt(position: number): number {
    if (position < this.#start || position >= this.#end) this.#load(position)
    return this.#window[position - this.#start] as number // sound: the window holds it now
  }

  /** A copy. @throws {RangeError} beyond the end */
  slice(start: number, end: number): Buffer {
    if (end > this.size || start > end)
      throw new RangeError(`${start}–${end} lies beyond the file's ${this.size} bytes.`)
    const bytes = Buffer.alloc(end - start)
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(this.#file, bytes, at, bytes.length - at, start + at)
      if (count === 0) throw new RangeError('The file became shorter while it was read.')
      at += count
    }
    return bytes
  }

  #load(position: number): void {
    const count = readSync(this.#file, this.#window, 0, WINDOW_BYTES, position)
    if (count === 0) throw new RangeError(`${position} lies beyond the file's ${this.size} bytes.`)
    this.#start = position
    this.#end = position + count
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}
