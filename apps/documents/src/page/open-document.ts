import { open, readFile, stat } from 'node:fs/promises'
import { artifactIdOfBytes } from '@headrace/artifacts'
import type { ThreadJob } from '@headrace/engine'
import type { DocumentKind } from '@headrace/wire'
import { DocumentError } from '../errors.ts'
import { readDocx } from '../flat/docx.ts'
import { readEmail } from '../flat/email.ts'
import { checkUnpacked, readZipDirectory } from '../flat/zip.ts'
import { inspectImage } from '../image/decode-image.ts'
import type { DocumentLimits } from '../limits.ts'
import { findTrainedData } from '../ocr/trained-data.ts'
import { warmPdf } from '../pdf/warm-pdf.ts'
import { MEDIA_TYPES, SNIFF_BYTES, sniff } from '../sniff/sniff.ts'
import { decodeText } from '../sniff/text-likeness.ts'
import { keepFlatPage } from './keep-page.ts'
import type { Opened, OpenedAttachment, OpenInput, PathOf, Surroundings } from './work.ts'

/** Says what a document is and how many pages it has; refuses what will not be read. What is but text is read at once. */
export async function openDocument(
  input: OpenInput,
  around: Surroundings,
  pathOf: PathOf,
  job: ThreadJob,
): Promise<Opened> {
  const { limits } = around
  const path = pathOf(input.source)
  for (const language of input.languages) await findTrainedData(language, around)
  const { size: sizeBytes } = await stat(path)
  if (sizeBytes > limits.fileBytesMax) throw tooLarge(sizeBytes, limits.fileBytesMax)
  const kind = await sniffFile(path)
  const opened = { kind, mediaType: MEDIA_TYPES[kind], sizeBytes, metadata: {}, warnings: [], attachments: [] }
  switch (kind) {
    case 'pdf':
      return { ...opened, ...(await openPdfDocument(input.source, path, limits)) }
    case 'docx': {
      const bytes = await readFile(path)
      checkUnpacked(bytes, limits)
      const { warnings, ...text } = await readDocx(bytes)
      return { ...opened, warnings, flat: await keepFlatPage(bounded(text, limits), job) }
    }
    case 'email': {
      const { metadata, attachments, ...text } = await readEmail(await readFile(path), limits)
      const kept: OpenedAttachment[] = []
      if (attachments.length > 0 && input.depth >= limits.depthMax) throw tooNested(limits.depthMax)
      for (const { name, mediaType, content } of attachments) {
        await job.artifact(name.slice(0, 200), content, mediaType)
        kept.push({ name, mediaType, artifact: artifactIdOfBytes(content), sizeBytes: content.length })
      }
      return { ...opened, metadata, attachments: kept, flat: await keepFlatPage(bounded(text, limits), job) }
    }
    case 'text': {
      const text = decodeText(await readFile(path), { isWhole: true })
      return { ...opened, flat: await keepFlatPage(bounded({ text, markdown: text }, limits), job) }
    }
    default:
      return { ...opened, pages: bounded((await inspectImage(path, limits)).pages, limits) }
  }
}

async function sniffFile(path: string): Promise<DocumentKind> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0)
  const head = buffer.subarray(0, bytesRead)
  const entries = head.subarray(0, 4).toString('latin1') === 'PK\x03\x04' ? readZipDirectory(await readFile(path)) : []
  const names = new Set(entries.map(({ name }) => name))
  return sniff(head, (name) => names.has(name))
}

async function openPdfDocument(source: string, path: string, limits: DocumentLimits) {
  const pdf = await warmPdf(source, path, limits)
  const pages = bounded(pdf.numPages, limits)
  const { info } = await pdf.getMetadata().catch(() => ({ info: {} })) // a page may be read without them
  const metadata: Record<string, string> = {}
  for (const name of ['Title', 'Author', 'Subject', 'Keywords', 'Creator', 'Producer']) {
    const value = (info as Record<string, unknown>)[name]
    if (typeof value === 'string' && value !== '') metadata[name] = value.slice(0, 1_000)
  }
  const scripts = await pdf.getJSActions().catch(() => null)
  const files = await pdf.getAttachments().catch(() => null)
  const warnings = [
    ...(scripts ? ['The PDF holds scripts. They were not run, and the searchable PDF is without them.'] : []),
    ...(files ? ['The PDF holds files. They were not opened, and the searchable PDF is without them.'] : []),
  ]
  return { pages, metadata, warnings }
}

function bounded<Value extends number | { readonly text: string }>(value: Value, limits: DocumentLimits): Value {
  if (typeof value === 'number' && value > limits.pagesMax) {
    throw new DocumentError(
      'pages_too_many',
      `The document has ${value} pages; at most ${limits.pagesMax} are read. Split it and send the parts.`,
    )
  }
  if (typeof value === 'object' && value.text.length > limits.textLengthMax)
    throw tooLarge(value.text.length, limits.textLengthMax)
  return value
}

function tooLarge(size: number, sizeMax: number): DocumentError {
  return new DocumentError(
    'document_too_large',
    `The document has ${size} bytes; at most ${sizeMax} are read. Split it and send the parts.`,
  )
}

function tooNested(depthMax: number): DocumentError {
  return new DocumentError(
    'document_too_nested',
    `An e-mail within an e-mail, ${depthMax} deep, has attachments of its own. They are not opened.`,
  )
}
