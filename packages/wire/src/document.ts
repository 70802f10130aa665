// What the documents app tells of a document. Boxes are in pixels of the page's image, or else in its `pixels`, from the top left corner.

import type { JobState } from './index.ts'

export type DocumentKind = 'pdf' | 'png' | 'jpeg' | 'tiff' | 'webp' | 'docx' | 'email' | 'text'

export type Box = readonly [left: number, top: number, right: number, bottom: number]

/** `line` counts from 0 within the page; `confidence` is 0 to 100, and 100 where the document itself says the text. */
export type DocumentWord = {
  readonly text: string
  readonly box: Box
  readonly confidence: number
  readonly line: number
}

/** Rows and columns count from 0. */
export type DocumentCell = {
  readonly row: number
  readonly column: number
  readonly rowSpan: number
  readonly columnSpan: number
  readonly text: string
  readonly box: Box
}

export type DocumentTable = {
  readonly box: Box
  readonly rows: number
  readonly columns: number
  readonly cells: readonly DocumentCell[]
}

/** `artifact` names the bytes by their hash. */
export type DocumentImage = {
  readonly artifact: string
  readonly mediaType: string
  readonly widthPx: number
  readonly heightPx: number
  readonly dpi: number
}

/** Where a page's text comes from: the document says it, it was recognised in the picture, or the page is but text. */
export type DocumentTextSource = 'text-layer' | 'ocr' | 'text'

export type DocumentPage = {
  readonly number: number
  readonly source: DocumentTextSource
  readonly text: string
  /** ISO 639-1, where there is enough text to tell. */
  readonly language?: string
  /** Mean of the words', 0 to 100. */
  readonly confidence?: number
  /** Without one where the document has no pages of its own (text, DOCX, e-mail), or none was asked for. */
  readonly image?: DocumentImage
  /** Of the page as it was read, where it has some and no image. */
  readonly pixels?: { readonly widthPx: number; readonly heightPx: number; readonly dpi: number }
  /** By how much the page was turned clockwise to stand upright. */
  readonly turnedDegrees: 0 | 90 | 180 | 270
  /** By how much it was turned clockwise besides, to lie straight. */
  readonly straightenedDegrees: number
  readonly words: readonly DocumentWord[]
  readonly tables: readonly DocumentTable[]
  readonly markdown: string
}

/** A page that could not be read; the others were. */
export type FailedDocumentPage = { readonly number: number; readonly code: string; readonly message: string }

/** A value that was looked for; `error` says why it could not be. */
export type DocumentField =
  | {
      readonly value: string | number | boolean | null
      readonly text: string
      readonly page: number
      readonly box?: Box
    }
  | { readonly value: null; readonly error?: { readonly code: string; readonly message: string } }

/** What was read, in short; the pages' words are in the file `json`. */
export type DocumentSummary = {
  readonly name: string
  readonly kind: DocumentKind
  readonly mediaType: string
  readonly sizeBytes: number
  readonly sha256: string
  /** What the document says of itself: title, author, the head of an e-mail. */
  readonly metadata: { readonly [name: string]: string }
  readonly pageCount: number
  readonly wordCount: number
  /** Of the pages whose image was made. */
  readonly imageCount: number
  readonly language?: string
  readonly confidence?: number
  readonly fields: { readonly [name: string]: DocumentField }
  readonly failedPages: readonly FailedDocumentPage[]
  readonly warnings: readonly string[]
  readonly attachments: readonly DocumentAttachment[]
  /** Artifact ids of the whole: `json`, `text`, `markdown`, and `pdf` where the document has pages. */
  readonly files: { readonly [format: string]: DocumentFile }
}

export type DocumentFile = {
  readonly name: string
  readonly artifact: string
  readonly mediaType: string
  readonly sizeBytes: number
}

export type DocumentAttachment = {
  readonly name: string
  readonly mediaType: string
  readonly sizeBytes: number
  readonly artifact: string
} & ({ readonly document: DocumentSummary } | { readonly error: { readonly code: string; readonly message: string } })

/** A page as far as it is; those that nobody has asked for yet are left out. */
export type DocumentPageState = {
  readonly number: number
  readonly state: JobState
  /** The job that reads or read it; none where it was read by the document that this one repeats, or when that was opened. */
  readonly jobID?: string
  /** Where it failed. */
  readonly error?: { readonly code: string; readonly message: string }
}

/** What `GET /documents` gives of each document. */
export type DocumentListed = {
  readonly jobID: string
  readonly name: string
  readonly state: JobState
  /** 0 to 1. */
  readonly progress: number
  readonly message?: string
  readonly error?: { readonly code: string; readonly message: string }
  readonly created: string
  readonly tags: readonly string[]
  /** The document's job whose failed pages this one reads again. */
  readonly again?: string
}

/** What `GET /documents/{id}` gives: its pages while they are read, its summary once all are. */
export type DocumentInfo = DocumentListed & {
  /** Once it was opened. */
  readonly pageCount?: number
  readonly pages: readonly DocumentPageState[]
  /** Once it has succeeded. */
  readonly summary?: DocumentSummary
}

/** `next` is the `cursor` of the page after this one. */
export type DocumentList = { readonly documents: readonly DocumentListed[]; readonly next?: string }

/** What `POST /elab` and `POST /documents/{id}/retry` answer. */
export type DocumentAccepted = {
  readonly task_id: string
  readonly status: 'PENDING'
  readonly status_url: string
  readonly result_url: string
}

/** The file `json`: the summary's content with everything of each page. */
export type DocumentContent = Omit<DocumentSummary, 'files'> & {
  readonly text: string
  readonly pages: readonly DocumentPage[]
}
