import sharp, { type Sharp } from 'sharp'

/** A picture in memory: 8 bits a channel, rows from the top; 1 channel is grey, 3 are red, green and blue. */
export type Raster = {
  readonly data: Buffer
  readonly widthPx: number
  readonly heightPx: number
  readonly channels: 1 | 3
  readonly dpi: number
}

// Each thread decodes one picture at a time; what libvips keeps of earlier ones is never asked for again.
sharp.cache(false)
sharp.concurrency(1)

const WHITE = { r: 255, g: 255, b: 255 }

export async function toGrey(raster: Raster, longSidePx?: number): Promise<Raster> {
  const pipeline = sharpOf(raster).greyscale()
  const isSmaller = longSidePx !== undefined && Math.max(raster.widthPx, raster.heightPx) > longSidePx
  if (isSmaller) pipeline.resize({ width: longSidePx, height: longSidePx, fit: 'inside' })
  return rasterOf(pipeline.toColourspace('b-w'), raster.dpi, raster.widthPx)
}

/** Turned clockwise; what comes into the picture at the corners is white. */
export async function turned(raster: Raster, degrees: number): Promise<Raster> {
  if (degrees === 0) return raster
  return rasterOf(sharpOf(raster).rotate(degrees, { background: WHITE }), raster.dpi)
}

export async function scaledTo(raster: Raster, dpi: number): Promise<Raster> {
  const factor = dpi / raster.dpi
  if (Math.abs(factor - 1) < 0.01) return raster
  const width = Math.max(1, Math.round(raster.widthPx * factor))
  const height = Math.max(1, Math.round(raster.heightPx * factor))
  return rasterOf(sharpOf(raster).resize({ width, height, fit: 'fill' }), dpi)
}

/** Without the specks of a bad copy: each pixel becomes the median of its neighbourhood. */
export async function despeckled(raster: Raster): Promise<Raster> {
  // Left to itself, sharp makes three channels of one.
  return rasterOf(
    sharpOf(raster)
      .median(3)
      .toColourspace(raster.channels === 1 ? 'b-w' : 'srgb'),
    raster.dpi,
  )
}

export async function toJpeg(raster: Raster): Promise<Buffer> {
  return sharpOf(raster)
    .withMetadata({ density: Math.round(raster.dpi) })
    .jpeg({ quality: 80 })
    .toBuffer()
}

/** @param fromWidthPx where the pipeline scales, the width before; the resolution changes with it */
export async function rasterOf(pipeline: Sharp, dpi: number, fromWidthPx?: number): Promise<Raster> {
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  const channels = info.channels === 1 ? 1 : 3
  if (info.channels !== channels)
    return rasterOf(sharp(data, { raw: info }).flatten({ background: WHITE }).removeAlpha(), dpi)
  const scale = fromWidthPx === undefined ? 1 : info.width / fromWidthPx
  return { data, widthPx: info.width, heightPx: info.height, channels, dpi: dpi * scale }
}

function sharpOf({ data, widthPx, heightPx, channels }: Raster): Sharp {
  return sharp(data, { raw: { width: widthPx, height: heightPx, channels }, limitInputPixels: false })
}
