import { readFile } from 'node:fs/promises'
import { artifactIdOfBytes } from '@headrace/artifacts'
import type { ThreadJob } from '@headrace/engine'
import type {
  DocumentAttachment,
  DocumentContent,
  DocumentFile,
  DocumentPage,
  DocumentSummary,
  FailedDocumentPage,
} from '@headrace/wire'
import { extractFields } from '../field/extract-fields.ts'
import type { FieldsWish } from '../field/fields-wish.ts'
import { detectLanguage } from '../language/detect-language.ts'
import type { Opened, PathOf, ReadPage, Surroundings } from '../page/work.ts'
import type { Output } from '../process/process-input.ts'
import { makeSearchablePdf } from './searchable-pdf.ts'

/** The input of `documents.assemble`. */
export type AssembleInput = {
  readonly source: string
  readonly name: string
  readonly opened: Omit<Opened, 'attachments' | 'flat' | 'pages'>
  readonly pages: readonly ReadPage[]
  readonly failedPages: readonly FailedDocumentPage[]
  readonly attachments: readonly DocumentAttachment[]
  readonly fields?: FieldsWish | undefined
  readonly outputs: readonly Output[]
}

/** Makes the whole of its pages: the result, and the files in each format. The same pages give the same bytes. */
export async function assemble(
  input: AssembleInput,
  around: Surroundings,
  pathOf: PathOf,
  job: ThreadJob,
): Promise<DocumentSummary> {
  const pages: DocumentPage[] = []
  for (const { data } of input.pages) pages.push(JSON.parse(await readFile(pathOf(data), 'utf8')) as DocumentPage) // as keepPage wrote it
  const text = pages.map((page) => page.text).join('\n\n')
  const warnings = [...input.opened.warnings]
  const pdf = await pdfOf(input, pages, pathOf, warnings)
  const { kind, mediaType, sizeBytes, metadata } = input.opened
  const language = detectLanguage(text)
  const confidences = input.pages.flatMap(({ confidence }) => confidence ?? [])
  const summary = {
    name: input.name,
    kind,
    mediaType,
    sizeBytes,
    sha256: input.source.slice('sha256:'.length),
    metadata,
    pageCount: input.pages.length + input.failedPages.length,
    wordCount: input.pages.reduce((sum, { wordCount }) => sum + wordCount, 0),
    imageCount: input.pages.filter(({ image }) => image !== undefined).length,
    ...(language !== undefined && { language }),
    ...(confidences.length > 0 && {
      confidence: Math.round(confidences.reduce((sum, one) => sum + one, 0) / confidences.length),
    }),
    fields: input.fields === undefined ? {} : await extractFields(input.fields, pages, around.limits),
    failedPages: input.failedPages,
    warnings,
    attachments: input.attachments,
  }
  const content: DocumentContent = { ...summary, text, pages }
  const markdown = pages.map((page) => page.markdown).join('\n\n')
  const name = baseName(input.name)
  const keep = (format: Format, bytes: Uint8Array) =>
    keepFile(job, `${name}.${format.extension}`, bytes, format.mediaType)
  return {
    ...summary,
    files: {
      json: await keep(FORMATS.json, Buffer.from(JSON.stringify(content))),
      text: await keep(FORMATS.text, Buffer.from(text)),
      markdown: await keep(FORMATS.markdown, Buffer.from(markdown)),
      ...(pdf && { pdf: await keep(FORMATS.pdf, pdf) }),
    },
  }
}

type Format = { readonly extension: string; readonly mediaType: string }

const FORMATS = {
  json: { extension: 'json', mediaType: 'application/json' },
  text: { extension: 'txt', mediaType: 'text/plain; charset=utf-8' },
  markdown: { extension: 'md', mediaType: 'text/markdown; charset=utf-8' },
  pdf: { extension: 'searchable.pdf', mediaType: 'application/pdf' },
} satisfies Record<string, Format>

/** What is wrong with the source's inner structure may show only here; its pages were read, and that counts for more. */
async function pdfOf(
  { source, opened, outputs }: AssembleInput,
  pages: readonly DocumentPage[],
  pathOf: PathOf,
  warnings: string[],
): Promise<Uint8Array | undefined> {
  if (!outputs.includes('pdf') || !pages.some(({ image }) => image !== undefined)) return undefined
  const original = opened.kind === 'pdf' ? pathOf(source) : undefined
  return makeSearchablePdf(pages, { original, pathOf, warn: (message) => warnings.push(message) })
}

async function keepFile(job: ThreadJob, name: string, bytes: Uint8Array, mediaType: string): Promise<DocumentFile> {
  await job.artifact(name, bytes, mediaType)
  return { name, artifact: artifactIdOfBytes(bytes), mediaType, sizeBytes: bytes.length }
}

function baseName(name: string): string {
  return name.replace(/\.[A-Za-z0-9]{1,5}$/, '').slice(0, 150) || 'document'
}
