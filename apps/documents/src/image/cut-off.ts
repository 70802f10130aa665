import { open } from 'node:fs/promises'

/** What stands behind a picture's own end is skipped by decoders; so far back it is looked for. */
const TAIL_BYTES = 65_536
const HEAD_BYTES = 12

/**
 * Whether the end that a picture's format asks for is missing: `IEND` of a PNG, the EOI marker of a JPEG, the length that
 * a WebP's RIFF head gives. Undefined for other formats. Decoders word the same fault one way or another, depending on how
 * the file was read; this does not.
 * Sources: PNG (W3C, 3rd edition, 5.6), JPEG (ITU-T T.81, B.1.1.3), WebP (RFC 9649, 2.4).
 */
export async function isCutOff(path: string): Promise<boolean | undefined> {
  await using file = await open(path)
  const { size } = await file.stat()
  const head = await read(HEAD_BYTES, 0)
  if (head.subarray(1, 4).toString('latin1') === 'PNG') return !(await tail()).includes('IEND')
  if (head[0] === 0xff && head[1] === 0xd8) return !(await tail()).includes(Buffer.of(0xff, 0xd9))
  if (head.subarray(0, 4).toString('latin1') === 'RIFF') return size < head.readUInt32LE(4) + 8
  return undefined

  function tail(): Promise<Buffer> {
    return read(TAIL_BYTES, Math.max(0, size - TAIL_BYTES))
  }

  async function read(length: number, position: number): Promise<Buffer> {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
    return buffer.subarray(0, bytesRead)
  }
}
