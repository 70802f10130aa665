import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import {
  RasterDamagedError,
  RasterNotTiffError,
  RasterTooLargeError,
  RasterTruncatedError,
  RasterUnreadableError,
} from '../errors.ts'
import { fieldTypeBytes } from './tag.ts'

const readAsync = promisify(read)

/** One entry of a directory. Its values are read when asked for, after `TiffFile` checked that they lie within the file. */
type TiffField = { readonly type: number; readonly count: number; readonly offset: number }

/** One image of the file: its fields by tag. */
export type TiffDirectory = ReadonlyMap<number, TiffField>

// A file with more is damaged or hostile: GDAL writes one directory per overview, and a few dozen fields in each.
const directoriesMax = 64
const fieldsMax = 4096
const fieldBytesMax = 256 * 1024 * 1024

/**
 * An open TIFF or BigTIFF file of either byte order: its directories, checked, and reads within its bounds. Nothing is
 * allocated on the word of the file alone: every length is compared with the file's size first, so that a damaged file ends
 * in an error and not in a hang or an exhausted memory.
 */
export class TiffFile implements Disposable {
  readonly path: string
  readonly sizeBytes: number
  readonly isLittleEndian: boolean
  readonly isBig: boolean
  readonly directories: readonly TiffDirectory[]
  readonly #descriptor: number
  #isOpen = true

  /**
   * @throws {RasterUnreadableError} when the file cannot be opened
   * @throws {RasterNotTiffError} when it is something else
   * @throws {RasterTruncatedError | RasterDamagedError} when its structure points beyond its end, or in a circle
   */
  constructor(path: string) {
    this.path = path
    const { descriptor, sizeBytes } = openRegularFile(path)
    this.#descriptor = descriptor
    this.sizeBytes = sizeBytes
    try {
      const header = this.#readHeader()
      this.isLittleEndian = header.isLittleEndian
      this.isBig = header.isBig
      this.directories = this.#readDirectories(header.firstDirectory)
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#descriptor)
    this.#isOpen = false
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Exactly `length` bytes from `offset` on. `what` names them in the error when the file ends before them. */
  readSync(offset: number, length: number, what: string): Buffer {
    this.#requireWithin(offset, length, what)
    const bytes = Buffer.allocUnsafe(length)
    let done = 0
    while (done < length) {
      const count = readSync(this.#descriptor, bytes, done, length - done, offset + done)
      if (count === 0)
        throw new RasterTruncatedError(this.path, { what, endsAt: offset + length, sizeBytes: offset + done })
      done += count
    }
    return bytes
  }

  /** As `readSync`, without holding up the event loop. */
  async read(offset: number, length: number, what: string): Promise<Buffer> {
    this.#requireWithin(offset, length, what)
    const bytes = Buffer.allocUnsafe(length)
    let done = 0
    while (done < length) {
      const { bytesRead } = await readAsync(this.#descriptor, bytes, done, length - done, offset + done)
      if (bytesRead === 0)
        throw new RasterTruncatedError(this.path, { what, endsAt: offset + length, sizeBytes: offset + done })
      done += bytesRead
    }
    return bytes
  }

  /** A field's values as numbers; undefined where the directory lacks it. Rationals are not used by any tag read here. */
  numbers(directory: TiffDirectory, id: number): number[] | undefined {
    const field = directory.get(id)
    if (!field) return undefined
    const size = fieldTypeBytes[field.type] ?? 1
    const bytes = this.readSync(field.offset, field.count * size, `field ${id}`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const readValue = this.#valueReader(field.type, view)
    if (!readValue) throw new RasterDamagedError(this.path, `field ${id} has type ${field.type} where numbers belong`)
    return Array.from({ length: field.count }, (_, i) => readValue(i * size))
  }

  /** A field's bytes; undefined where the directory lacks it. */
  bytes(directory: TiffDirectory, id: number): Buffer | undefined {
    const field = directory.get(id)
    return field && this.readSync(field.offset, field.count * (fieldTypeBytes[field.type] ?? 1), `field ${id}`)
  }

  /** A text field up to its first zero byte; undefined where the directory lacks it. */
  text(directory: TiffDirectory, id: number): string | undefined {
    const text = this.bytes(directory, id)?.toString('latin1')
    return text?.split('\0', 1)[0]
  }

  #valueReader(type: number, view: DataView): ((at: number) => number) | undefined {
    const little = this.isLittleEndian
    switch (type) {
      case 1:
      case 7:
        return (at) => view.getUint8(at)
      case 6:
        return (at) => view.getInt8(at)
      case 3:
        return (at) => view.getUint16(at, little)
      case 8:
        return (at) => view.getInt16(at, little)
      case 4:
      case 13:
        return (at) => view.getUint32(at, little)
      case 9:
        return (at) => view.getInt32(at, little)
      case 11:
        return (at) => view.getFloat32(at, little)
      case 12:
        return (at) => view.getFloat64(at, little)
      case 16:
      case 18:
        return (at) => Number(view.getBigUint64(at, little))
      default:
        return undefined
    }
  }

  #requireWithin(offset: number, length: number, what: string): void {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
      throw new RasterDamagedError(this.path, `its ${what} has offset ${offset} and length ${length}`)
    }
    if (offset + length > this.sizeBytes) {
      throw new RasterTruncatedError(this.path, { what, endsAt: offset + length, sizeBytes: this.sizeBytes })
    }
  }

  // TIFF 6.0 section 2: "II" or "MM", 42 (BigTIFF: 43, then 8 and 0), and the offset of the first directory.
  #readHeader(): { isLittleEndian: boolean; isBig: boolean; firstDirectory: number } {
    if (this.sizeBytes < 8) throw new RasterNotTiffError(this.path, `it has ${this.sizeBytes} bytes`)
    const order = this.readSync(0, 4, 'header').toString('latin1')
    const isLittleEndian = order.startsWith('II')
    if (!isLittleEndian && !order.startsWith('MM')) {
      throw new RasterNotTiffError(this.path, `it starts with ${JSON.stringify(order)}`)
    }
    const header = this.readSync(0, 8, 'header')
    const version = isLittleEndian ? header.readUInt16LE(2) : header.readUInt16BE(2)
    if (version === 42) {
      return {
        isLittleEndian,
        isBig: false,
        firstDirectory: isLittleEndian ? header.readUInt32LE(4) : header.readUInt32BE(4),
      }
    }
    if (version !== 43) throw new RasterNotTiffError(this.path, `its version is ${version}, not 42 or 43`)
    const big = this.readSync(0, 16, 'header')
    return {
      isLittleEndian,
      isBig: true,
      firstDirectory: Number(isLittleEndian ? big.readBigUInt64LE(8) : big.readBigUInt64BE(8)),
    }
  }

  #readDirectories(first: number): TiffDirectory[] {
    const directories: TiffDirectory[] = []
    const seen = new Set<number>()
    for (let offset = first; offset !== 0; ) {
      if (seen.has(offset)) throw new RasterDamagedError(this.path, 'its list of images runs in a circle')
      if (directories.length === directoriesMax) {
        throw new RasterTooLargeError(this.path, 'images or more', directoriesMax + 1, directoriesMax)
      }
      seen.add(offset)
      const { directory, next } = this.#readDirectory(offset)
      directories.push(directory)
      offset = next
    }
    if (directories.length === 0) throw new RasterDamagedError(this.path, 'it holds no image')
    return directories
  }

  #readDirectory(offset: number): { directory: TiffDirectory; next: number } {
    const little = this.isLittleEndian
    const [countBytes, entryBytes, pointerBytes] = this.isBig ? [8, 20, 8] : [2, 12, 4]
    const head = viewOf(this.readSync(offset, countBytes, 'directory'))
    const count = this.isBig ? Number(head.getBigUint64(0, little)) : head.getUint16(0, little)
    if (count > fieldsMax) throw new RasterDamagedError(this.path, `a directory claims ${count} fields`)
    const view = viewOf(this.readSync(offset + countBytes, count * entryBytes + pointerBytes, 'directory'))
    const directory = new Map<number, TiffField>()
    for (let i = 0; i < count; i++) {
      const field = this.#readField(view, i * entryBytes, offset + countBytes)
      if (field) directory.set(view.getUint16(i * entryBytes, little), field)
    }
    const next = count * entryBytes
    return { directory, next: this.isBig ? Number(view.getBigUint64(next, little)) : view.getUint32(next, little) }
  }

  // A value of up to 4 bytes (BigTIFF: 8) stands in the entry itself, a longer one where the entry points. A field of a
  // type that TIFF does not define is skipped, as TIFF 6.0 asks of readers.
  #readField(view: DataView, at: number, directoryAt: number): TiffField | undefined {
    const little = this.isLittleEndian
    const type = view.getUint16(at + 2, little)
    const size = fieldTypeBytes[type]
    if (size === undefined) return undefined
    const count = this.isBig ? Number(view.getBigUint64(at + 4, little)) : view.getUint32(at + 4, little)
    const valueAt = at + (this.isBig ? 12 : 8)
    if (count * size <= (this.isBig ? 8 : 4)) return { type, count, offset: directoryAt + valueAt }
    const offset = this.isBig ? Number(view.getBigUint64(valueAt, little)) : view.getUint32(valueAt, little)
    const id = view.getUint16(at, little)
    if (count * size > fieldBytesMax) throw new RasterDamagedError(this.path, `field ${id} claims ${count} values`)
    this.#requireWithin(offset, count * size, `field ${id}`)
    return { type, count, offset }
  }
}

function openRegularFile(path: string): { descriptor: number; sizeBytes: number } {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw new Error('it is not a regular file')
    return { descriptor, sizeBytes: stat.size }
  } catch (cause) {
    if (descriptor !== undefined) closeSync(descriptor)
    throw new RasterUnreadableError(path, { cause })
  }
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
