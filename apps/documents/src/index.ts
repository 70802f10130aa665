/** Documents: upload, process in the background, collect the result. */
export { type DocumentsOptions, documentsApp } from './documents-app.ts'
export { DocumentError, type DocumentErrorCode } from './errors.ts'
export { type DocumentLimits, defaultLimits } from './limits.ts'
export { findTessdata } from './ocr/trained-data.ts'
export { PROCESS_DOCUMENT } from './process/process-document.ts'
