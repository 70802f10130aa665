/** Documents whose every word is known, for tests, measurements and campaigns. */
export { type KnownPage, knownPages } from './known-pages.ts'
export * from './make-documents.ts'
export { tesseractVersion, tesseractWords } from './tesseract-command.ts'
