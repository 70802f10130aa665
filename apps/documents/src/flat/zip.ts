import { inflateRawSync } from 'node:zlib'
import { DocumentError } from '../errors.ts'
import type { DocumentLimits } from '../limits.ts'

export type ZipEntry = {
  readonly name: string
  readonly method: number
  readonly isEncrypted: boolean
  readonly packedBytes: number
  readonly headerOffset: number
}

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const END_BYTES = 22
const COMMENT_BYTES_MAX = 65_535
const ENTRIES_MAX = 10_000
const STORED = 0
const DEFLATED = 8

/**
 * The entries of a ZIP archive, from the directory at its end.
 * @throws {DocumentError} document_truncated where there is no directory, document_damaged, document_bomb
 */
export function readZipDirectory(bytes: Buffer): readonly ZipEntry[] {
  const end = endOffsetOf(bytes)
  const count = bytes.readUInt16LE(end + 10)
  if (count > ENTRIES_MAX)
    throw new DocumentError('document_bomb', `The archive has ${count} files; at most ${ENTRIES_MAX} are taken.`)
  const entries: ZipEntry[] = []
  let at = bytes.readUInt32LE(end + 16)
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== ENTRY_SIGNATURE) throw damaged()
    const nameLength = bytes.readUInt16LE(at + 28)
    entries.push({
      name: bytes.toString('utf8', at + 46, at + 46 + nameLength),
      method: bytes.readUInt16LE(at + 10),
      isEncrypted: (bytes.readUInt16LE(at + 8) & 1) === 1,
      packedBytes: bytes.readUInt32LE(at + 20),
      headerOffset: bytes.readUInt32LE(at + 42),
    })
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return entries
}

/**
 * Unpacks every entry once and throws it away, so that whoever unpacks them for good is not surprised: what an archive says
 * of its sizes need not be true.
 * @throws {DocumentError} document_bomb, document_encrypted, document_damaged
 */
export function checkUnpacked(
  bytes: Buffer,
  { unpackedBytesMax, unpackedRatioMax }: Pick<DocumentLimits, 'unpackedBytesMax' | 'unpackedRatioMax'>,
): void {
  let left = unpackedBytesMax
  for (const entry of readZipDirectory(bytes)) {
    if (entry.isEncrypted)
      throw new DocumentError(
        'document_encrypted',
        'The document is encrypted. Save it without a password and send it again.',
      )
    const allowed = Math.min(left, Math.max(1_000_000, entry.packedBytes * unpackedRatioMax))
    left -= unpackedSizeOf(bytes, entry, allowed)
  }
}

function unpackedSizeOf(bytes: Buffer, entry: ZipEntry, sizeBytesMax: number): number {
  const packed = packedBytesOf(bytes, entry)
  if (entry.method === STORED) return packed.length
  if (entry.method !== DEFLATED) throw damaged()
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, sizeBytesMax) }).length
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_BUFFER_TOO_LARGE') throw damaged(cause)
    throw new DocumentError(
      'document_bomb',
      `${entry.name.slice(0, 100)} in it unpacks to more than ${sizeBytesMax} bytes from ${entry.packedBytes}. It is not read.`,
    )
  }
}

function packedBytesOf(bytes: Buffer, { headerOffset, packedBytes }: ZipEntry): Buffer {
  if (headerOffset + 30 > bytes.length) throw damaged()
  const start = headerOffset + 30 + bytes.readUInt16LE(headerOffset + 26) + bytes.readUInt16LE(headerOffset + 28)
  if (start + packedBytes > bytes.length) throw damaged()
  return bytes.subarray(start, start + packedBytes)
}

function endOffsetOf(bytes: Buffer): number {
  const first = Math.max(0, bytes.length - END_BYTES - COMMENT_BYTES_MAX)
  for (let at = bytes.length - END_BYTES; at >= first; at--) if (bytes.readUInt32LE(at) === END_SIGNATURE) return at
  throw new DocumentError(
    'document_truncated',
    'The document was cut off: the directory at the end of its archive is missing. Send it again.',
  )
}

function damaged(cause?: unknown): DocumentError {
  return new DocumentError(
    'document_damaged',
    'The document is damaged: its archive contradicts itself. Save it anew and send it again.',
    { cause },
  )
}
