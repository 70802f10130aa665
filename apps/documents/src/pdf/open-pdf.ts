import { type FileHandle, open } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  getDocument,
  PDFDataRangeTransport,
  type PDFDocumentProxy,
  VerbosityLevel,
} from 'pdfjs-dist/legacy/build/pdf.mjs'
import { DocumentError } from '../errors.ts'
import type { DocumentLimits } from '../limits.ts'

export type OpenedPdf = AsyncDisposable & { readonly pdf: PDFDocumentProxy }

const RANGE_BYTES = 1 << 18
/** A PDF ends with `%%EOF`; what some programs add behind it is short. */
const TAIL_BYTES = 4_096

const folder = (name: string) =>
  `${join(dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json')), name)}/`

/**
 * Opens a PDF file without reading all of it. Nothing in it is executed: no scripts, no forms' logic, no compiled functions;
 * nothing is fetched.
 * @throws {DocumentError} document_encrypted, document_truncated, document_damaged
 */
export async function openPdf(path: string, limits: DocumentLimits): Promise<OpenedPdf> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    await refuseCutOff(file, size)
    const task = getDocument({
      range: new FileRange(file, size),
      rangeChunkSize: RANGE_BYTES,
      disableAutoFetch: true,
      disableStream: true,
      enableXfa: false,
      useWorkerFetch: false,
      useSystemFonts: false,
      maxImageSize: limits.imagePixelsMax,
      canvasMaxAreaInBytes: limits.pagePixelsMax * 4,
      standardFontDataUrl: folder('standard_fonts'),
      cMapUrl: folder('cmaps'),
      wasmUrl: folder('wasm'),
      iccUrl: folder('iccs'),
      verbosity: VerbosityLevel.ERRORS,
    })
    const pdf = await task.promise
    return {
      pdf,
      async [Symbol.asyncDispose]() {
        await task.destroy()
        await file.close()
      },
    }
  } catch (cause) {
    await file.close()
    throw asDocumentError(cause)
  }
}

/** What a text or a page could not be had for. */
export function asDocumentError(cause: unknown): DocumentError {
  if (cause instanceof DocumentError) return cause
  const { name, message } = cause as Error
  if (name === 'PasswordException') {
    return new DocumentError(
      'document_encrypted',
      'The PDF is encrypted, and opens only with a password. Save it without one and send it again.',
    )
  }
  return new DocumentError('document_damaged', `The PDF cannot be read: ${message}. Save it anew and send it again.`, {
    cause,
  })
}

async function refuseCutOff(file: FileHandle, size: number): Promise<void> {
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
  await file.read(tail, 0, tail.length, size - tail.length)
  if (tail.includes('%%EOF') || tail.includes('startxref')) return
  throw new DocumentError('document_truncated', 'The PDF was cut off: its end is missing. Send it again.')
}

/** Hands pdf.js the parts of a file that it asks for. */
class FileRange extends PDFDataRangeTransport {
  readonly #file: FileHandle
  readonly #size: number
  constructor(file: FileHandle, size: number) {
    super(size, null)
    this.#file = file
    this.#size = size
  }
  override requestDataRange(begin: number, end: number): void {
    const bytes = new Uint8Array(Math.min(end, this.#size) - begin)
    this.#file.read(bytes, 0, bytes.length, begin).then(
      () => this.onDataRange(begin, bytes),
      () => this.onDataRange(begin, new Uint8Array(0)), // the file is gone: the reader then says what is missing
    )
  }
}
