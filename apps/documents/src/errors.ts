/** The stable codes of what this app throws on purpose, on a document's job or to who sends one. */
export type DocumentErrorCode =
  | 'document_empty'
  | 'document_too_large'
  | 'document_kind_unsupported'
  | 'document_encrypted'
  | 'document_truncated'
  | 'document_damaged'
  | 'document_bomb'
  | 'document_too_nested'
  | 'document_missing'
  | 'pages_too_many'
  | 'attachments_too_many'
  | 'image_too_large'
  | 'document_too_slow'
  | 'ocr_language_missing'
  | 'tessdata_missing'
  | 'ocr_failed'
  | 'pattern_too_slow'
  | 'upload_invalid'
  | 'page_unknown'
  | 'page_not_failed'
  | 'format_unknown'

/** `code` is for programs and never changes; `message` says what happened, to what, and what to do. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly code: DocumentErrorCode
  /** Whether trying again at once may help: not where the document itself is at fault. */
  readonly retryable: boolean
  constructor(code: DocumentErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? false
  }
}
