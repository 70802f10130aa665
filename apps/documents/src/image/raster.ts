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

export async function toGrey(raster: Raster): Promise<Raster> {
  return raster.channels === 1 ? raster : rasterOf(sharpOf(raster).greyscale().toColourspace('b-w'), raster.dpi)
}

/** A grey picture in one channel, where it has three that are alike: each step that follows has a third of the work. */
export function withoutEmptyColour(raster: Raster): Raster {
  const { data, channels, widthPx, heightPx } = raster
  if (channels === 1) return raster
  const grey = Buffer.allocUnsafe(widthPx * heightPx)
  for (let pixel = 0, at = 0; pixel < grey.length; pixel++, at += 3) {
    const red = data[at] as number // within the picture
    if (red !== data[at + 1] || red !== data[at + 2]) return raster
    grey[pixel] = red
  }
  return { ...raster, data: grey, channels: 1 }
}

/** A smaller copy to measure on, by a whole number of times: each of its pixels is the mean of those that it stands for. */
export function shrunkBy(grey: Raster, times: number): Raster {
  if (grey.channels !== 1) throw new RangeError(`A picture of ${grey.channels} channels is not grey.`)
  if (times === 1) return grey
  const [widthPx, heightPx] = [Math.floor(grey.widthPx / times), Math.floor(grey.heightPx / times)]
  const data = Buffer.allocUnsafe(widthPx * heightPx)
  const sums = new Uint32Array(widthPx)
  const count = times * times
  for (let row = 0; row < heightPx; row++) {
    sums.fill(count >> 1) // so that a mean is rounded
    for (let line = row * times; line < (row + 1) * times; line++) {
      let at = line * grey.widthPx
      for (let column = 0; column < widthPx; column++) {
        let sum = 0
        for (const end = at + times; at < end; at++) sum += grey.data[at] as number // within the picture
        sums[column] = (sums[column] as number) + sum
      }
    }
    for (let column = 0; column < widthPx; column++) data[row * widthPx + column] = (sums[column] as number) / count
  }
  return { data, widthPx, heightPx, channels: 1, dpi: grey.dpi / times }
}

/** How many times a picture may be shrunk for its long side to come near to so many pixels. */
export function timesTo({ widthPx, heightPx }: Raster, longSidePx: number): number {
  return Math.max(1, Math.round(Math.max(widthPx, heightPx) / longSidePx))
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
  return rasterOf(sharpOf(raster).median(3), raster.dpi)
}

export async function toJpeg(raster: Raster): Promise<Buffer> {
  return sharpOf(raster)
    .withMetadata({ density: Math.round(raster.dpi) })
    .jpeg({ quality: 80 })
    .toBuffer()
}

export async function rasterOf(pipeline: Sharp, dpi: number): Promise<Raster> {
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  const channels = info.channels === 1 ? 1 : 3
  if (info.channels !== channels)
    return rasterOf(sharp(data, { raw: info }).flatten({ background: WHITE }).removeAlpha(), dpi)
  return { data, widthPx: info.width, heightPx: info.height, channels, dpi }
}

function sharpOf({ data, widthPx, heightPx, channels }: Raster): Sharp {
  const pipeline = sharp(data, { raw: { width: widthPx, height: heightPx, channels }, limitInputPixels: false })
  // Left to itself, sharp makes three channels of one.
  return pipeline.toColourspace(channels === 1 ? 'b-w' : 'srgb')
}
