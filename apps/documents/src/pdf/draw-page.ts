import { createCanvas } from '@napi-rs/canvas'
import type { PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import sharp from 'sharp'
import { type Raster, rasterOf, withoutEmptyColour } from '../image/raster.ts'

const POINTS_PER_INCH = 72

/** The resolution at which a page is drawn: what is asked for, or less where the page is very large. */
export function dpiOfPage(page: PDFPageProxy, dpi: number, pixelsMax: number): number {
  const { width, height } = page.getViewport({ scale: dpi / POINTS_PER_INCH })
  return dpi * Math.min(1, Math.sqrt(pixelsMax / Math.max(1, width * height)))
}

export function scaleOfDpi(dpi: number): number {
  return dpi / POINTS_PER_INCH
}

/** Draws a page on white, as it would be printed: without what is only for the screen. */
export async function drawPage(page: PDFPageProxy, dpi: number, signal: AbortSignal): Promise<Raster> {
  const viewport = page.getViewport({ scale: scaleOfDpi(dpi) })
  const [width, height] = [Math.max(1, Math.round(viewport.width)), Math.max(1, Math.round(viewport.height))]
  const canvas = createCanvas(width, height)
  // pdf.js was written for a browser's canvas; this one has all of its methods that are called here.
  const canvasContext = canvas.getContext('2d') as unknown as never
  const drawing = page.render({ canvas: null, canvasContext, viewport, intent: 'print', background: '#fff' })
  const stop = () => drawing.cancel()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await drawing.promise
  } finally {
    signal.removeEventListener('abort', stop)
  }
  const pixels = sharp(canvas.data(), { raw: { width, height, channels: 4 } }).removeAlpha()
  return withoutEmptyColour(await rasterOf(pixels, dpi))
}
