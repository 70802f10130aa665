import type { DocumentKind } from '@headrace/wire'
import { DocumentError } from '../errors.ts'
import { looksLikeEmail, looksLikeText } from './text-likeness.ts'

export const MEDIA_TYPES: Readonly<Record<DocumentKind, string>> = {
  pdf: 'application/pdf',
  png: 'image/png',
  jpeg: 'image/jpeg',
  tiff: 'image/tiff',
  webp: 'image/webp',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  email: 'message/rfc822',
  text: 'text/plain',
}

const READ_HERE = 'PDF, PNG, JPEG, TIFF, WebP, DOCX, e-mail (.eml) and plain text are read.'
/** Other readers, too, look for a PDF's beginning so far into the file. */
const PDF_HEAD_BYTES = 1_024

/** So many bytes of the beginning are enough for {@link sniff}, besides those of the end for a ZIP's directory. */
export const SNIFF_BYTES = 65_536

/**
 * Says by its content what a document is; its name counts for nothing.
 * @param head     the first {@link SNIFF_BYTES} bytes, or all
 * @param hasEntry whether the document, if it is a ZIP, has a file of that name
 * @throws {DocumentError} document_empty, document_encrypted, document_kind_unsupported
 * @example sniff(Buffer.from('%PDF-1.7 …'), () => false) // 'pdf'
 */
export function sniff(head: Buffer, hasEntry: (name: string) => boolean): DocumentKind {
  if (head.length === 0)
    throw new DocumentError('document_empty', 'The document is empty: it has 0 bytes. Send it again.')
  const kind = pictureOf(head) ?? packedOf(head, hasEntry)
  if (kind !== undefined) return kind
  if (head.subarray(0, PDF_HEAD_BYTES).includes('%PDF-')) return 'pdf'
  refuseKnown(head)
  if (!looksLikeText(head)) throw unsupported('something of no kind that is known here')
  return looksLikeEmail(head) ? 'email' : 'text'
}

function pictureOf(head: Buffer): DocumentKind | undefined {
  if (startsWith(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png'
  if (startsWith(head, [0xff, 0xd8, 0xff])) return 'jpeg'
  if (isText(head, 0, 'RIFF') && isText(head, 8, 'WEBP')) return 'webp'
  const isTiff = [0x2a, 0x2b].some(
    (version) => startsWith(head, [0x49, 0x49, version, 0]) || startsWith(head, [0x4d, 0x4d, 0, version]),
  )
  return isTiff ? 'tiff' : undefined
}

function packedOf(head: Buffer, hasEntry: (name: string) => boolean): DocumentKind | undefined {
  if (!isText(head, 0, 'PK\x03\x04')) return undefined
  if (hasEntry('word/document.xml')) return 'docx'
  if (hasEntry('xl/workbook.xml')) throw unsupported('an Excel workbook')
  if (hasEntry('ppt/presentation.xml')) throw unsupported('a PowerPoint presentation')
  throw unsupported('a ZIP archive; send the documents in it one by one')
}

const KNOWN: readonly (readonly [magic: string, offset: number, what: string])[] = [
  ['GIF8', 0, 'a GIF picture; save it as PNG'],
  ['BM', 0, 'a BMP picture; save it as PNG'],
  ['ftypheic', 4, 'a HEIC picture; save it as JPEG'],
  ['ftypavif', 4, 'an AVIF picture; save it as PNG'],
  ['ftyp', 4, 'a video'],
  ['\x7fELF', 0, 'a program'],
  ['MZ', 0, 'a program'],
  ['\x1f\x8b', 0, 'a gzip archive'],
  ['Rar!', 0, 'a RAR archive'],
  ['7z\xbc\xaf', 0, 'a 7-Zip archive'],
  ['%!PS', 0, 'PostScript; save it as PDF'],
  ['{\\rtf', 0, 'RTF; save it as DOCX'],
]

function refuseKnown(head: Buffer): void {
  if (startsWith(head, [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])) refuseCompound(head)
  for (const [magic, offset, what] of KNOWN) {
    // `BM` and `MZ` may begin a text, too.
    if (isText(head, offset, magic) && !(magic.length === 2 && looksLikeText(head))) throw unsupported(what)
  }
}

/** What Office wrote before 2007; an encrypted DOCX, too, is wrapped in it. */
function refuseCompound(head: Buffer): never {
  if (head.includes(Buffer.from('EncryptedPackage', 'utf16le'))) {
    throw new DocumentError(
      'document_encrypted',
      'The document is encrypted. Save it without a password and send it again.',
    )
  }
  throw unsupported('an Office file of the format before 2007; save it as DOCX')
}

function unsupported(what: string): DocumentError {
  return new DocumentError('document_kind_unsupported', `By its content the document is ${what}. ${READ_HERE}`)
}

function startsWith(head: Buffer, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => head[index] === byte)
}

function isText(head: Buffer, offset: number, text: string): boolean {
  return head.subarray(offset, offset + text.length).toString('latin1') === text
}
