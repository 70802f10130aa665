import type { PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import type { DocumentLimits } from '../limits.ts'
import { type OpenedPdf, openPdf } from './open-pdf.ts'

let warm: { readonly source: string; readonly opened: OpenedPdf } | undefined

/** This thread's PDF: pages of one document often follow each other, and its tables are read only once. */
export async function warmPdf(source: string, path: string, limits: DocumentLimits): Promise<PDFDocumentProxy> {
  if (warm?.source === source) return warm.opened.pdf
  await closeWarmPdf()
  const opened = await openPdf(path, limits)
  warm = { source, opened }
  return opened.pdf
}

export async function closeWarmPdf(): Promise<void> {
  const last = warm
  warm = undefined
  await last?.opened[Symbol.asyncDispose]()
}
