import sharp, { type Metadata, type SharpOptions } from 'sharp'
import { DocumentError } from '../errors.ts'
import type { DocumentLimits } from '../limits.ts'
import { isCutOff } from './cut-off.ts'
import { type Raster, rasterOf, withoutEmptyColour } from './raster.ts'

/** A picture without a believable resolution of its own is taken to be a page of so many inches. */
const PAGE_LONG_SIDE_INCHES = 11.69
const DPI_MIN = 72
/** Letters of a small picture (a screenshot) are enlarged before they are read. */
const SMALL_LONG_SIDE_PX = 1_600

/** As libvips names them. */
const GREY_SPACES: readonly string[] = ['b-w', 'grey16']

export type ImageFile = { readonly pages: number; readonly widthPx: number; readonly heightPx: number }

/**
 * What a picture's head says, before anything is decoded.
 * @throws {DocumentError} image_too_large, document_damaged
 */
export async function inspectImage(path: string, limits: DocumentLimits, page = 0): Promise<ImageFile> {
  const metadata = await readMetadata(path, page)
  const { width: widthPx = 0, height: heightPx = 0, pages = 1 } = metadata
  if (widthPx * heightPx > limits.imagePixelsMax) {
    throw new DocumentError(
      'image_too_large',
      `The picture has ${widthPx} × ${heightPx} pixels; at most ${limits.imagePixelsMax} in all are decoded. Scale it down and send it again.`,
    )
  }
  return { pages, widthPx, heightPx }
}

/**
 * Decodes one page of a picture file as its camera or scanner held it, on white where it is transparent, and no larger than
 * `pagePixelsMax`.
 * @param page from 0
 * @throws {DocumentError} image_too_large, document_truncated, document_damaged
 */
export async function decodeImage(path: string, page: number, limits: DocumentLimits): Promise<Raster> {
  const { widthPx, heightPx } = await inspectImage(path, limits, page)
  const { density, space } = await readMetadata(path, page)
  const scale = scaleOf(widthPx, heightPx, limits.pagePixelsMax)
  const pipeline = sharp(path, optionsOf(page, limits))
    .autoOrient()
    .flatten({ background: '#fff' })
    .toColourspace(GREY_SPACES.includes(space ?? '') ? 'b-w' : 'srgb')
    .timeout({ seconds: Math.ceil(limits.pageMs / 1_000) })
  if (scale !== 1)
    pipeline.resize({
      width: Math.max(1, Math.round(widthPx * scale)),
      height: Math.max(1, Math.round(heightPx * scale)),
      fit: 'inside',
    })
  try {
    return withoutEmptyColour(await rasterOf(pipeline, dpiOf(density, Math.max(widthPx, heightPx)) * scale))
  } catch (cause) {
    throw await asDocumentError(path, cause)
  }
}

function scaleOf(widthPx: number, heightPx: number, pixelsMax: number): number {
  const most = Math.sqrt(pixelsMax / (widthPx * heightPx))
  if (most < 1) return most
  return Math.max(widthPx, heightPx) < SMALL_LONG_SIDE_PX ? Math.min(2, most) : 1
}

function dpiOf(density: number | undefined, longSidePx: number): number {
  if (density !== undefined && density > DPI_MIN && density <= 2_400) return density
  return Math.max(DPI_MIN, Math.round(longSidePx / PAGE_LONG_SIDE_INCHES))
}

async function readMetadata(path: string, page: number): Promise<Metadata> {
  try {
    return await sharp(path, { page, limitInputPixels: false, failOn: 'truncated' }).metadata()
  } catch (cause) {
    throw await asDocumentError(path, cause)
  }
}

function optionsOf(page: number, { imagePixelsMax }: DocumentLimits): SharpOptions {
  return { page, limitInputPixels: imagePixelsMax, failOn: 'truncated', sequentialRead: true }
}

/** What libvips says of a bad file is in the words of its decoders; the first line names the reason. */
async function asDocumentError(path: string, cause: unknown): Promise<DocumentError> {
  const { message } = cause as Error
  const reason = message.split('\n')[0] ?? ''
  if ((await isCutOff(path)) ?? SOUNDS_CUT_OFF.test(message)) {
    return new DocumentError('document_truncated', `The picture was cut off: ${reason}. Send it again.`, { cause })
  }
  return new DocumentError(
    'document_damaged',
    `The picture cannot be decoded: ${reason}. Save it anew and send it again.`,
    { cause },
  )
}

/** Of formats whose end cannot be told. */
const SOUNDS_CUT_OFF = /premature|truncat|unexpected end|end of (file|stream)|read error|not enough/i
