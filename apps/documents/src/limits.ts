/** What a document may be at most. Beyond it a job ends with an error that names the limit, before the work is done. */
export type DocumentLimits = {
  readonly fileBytesMax: number
  readonly pagesMax: number
  /** Of one picture, before it is decoded. */
  readonly imagePixelsMax: number
  /** A page is drawn, or a picture scaled down, to at most so many pixels. */
  readonly pagePixelsMax: number
  /** Of what a compressed document unpacks to, in all. */
  readonly unpackedBytesMax: number
  /** How many times larger a compressed part may become; text compresses to a tenth or a twentieth. */
  readonly unpackedRatioMax: number
  readonly attachmentsMax: number
  /** An e-mail in an e-mail is at depth 1. */
  readonly depthMax: number
  /** Of characters in a document without pages. */
  readonly textLengthMax: number
  /** Of one page, from its beginning to its end. */
  readonly pageMs: number
  /** Of all patterns of a document together. */
  readonly patternsMs: number
}

const MB = 1_000_000

export const defaultLimits: DocumentLimits = {
  fileBytesMax: 200 * MB,
  pagesMax: 2_000,
  imagePixelsMax: 100 * MB,
  pagePixelsMax: 16 * MB,
  unpackedBytesMax: 300 * MB,
  unpackedRatioMax: 1_000,
  attachmentsMax: 50,
  depthMax: 3,
  textLengthMax: 20 * MB,
  pageMs: 120_000,
  patternsMs: 2_000,
}
