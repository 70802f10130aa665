import type { DocumentKind, DocumentPage } from '@headrace/wire'
import type { DocumentLimits } from '../limits.ts'

/** How pages are read. */
export type ReadOptions = {
  /** As Tesseract names them: `eng`, `deu`. */
  readonly languages: readonly string[]
  /** `auto`: only pages that do not say their text themselves. */
  readonly ocr: 'auto' | 'always' | 'never'
  /** Of the page images. */
  readonly imageDpi: number
  /** Whether a page's image is kept. */
  readonly keepsImage: boolean
}

/** What a worker's machine adds to a job's input, and what therefore is not stored with it. */
export type Surroundings = {
  readonly limits: DocumentLimits
  readonly cacheDir: string
  readonly tessdataDirs: readonly string[]
}

/** The input of `documents.open`. `source` is the artifact that the document is. */
export type OpenInput = {
  readonly source: string
  readonly name: string
  readonly languages: readonly string[]
  readonly depth: number
}

/** A document of which each page is to be read, or one whose text is all there at once. */
export type Opened = {
  readonly kind: DocumentKind
  readonly mediaType: string
  readonly sizeBytes: number
  readonly metadata: { readonly [name: string]: string }
  readonly warnings: readonly string[]
  readonly attachments: readonly OpenedAttachment[]
} & ({ readonly pages: number } | { readonly flat: ReadPage })

export type OpenedAttachment = {
  readonly name: string
  readonly mediaType: string
  readonly artifact: string
  readonly sizeBytes: number
}

/** The input of `documents.read-page`; `page` counts from 1. */
export type PageInput = {
  readonly source: string
  readonly kind: DocumentKind
  readonly page: number
  readonly options: ReadOptions
}

/** What is left of a page when its words are in an artifact of their own. */
export type ReadPage = Pick<
  DocumentPage,
  'number' | 'source' | 'language' | 'confidence' | 'image' | 'turnedDegrees' | 'straightenedDegrees'
> & {
  readonly wordCount: number
  /** The artifact with the whole {@link DocumentPage}. */
  readonly data: string
}

export type PathOf = (artifact: string) => string
