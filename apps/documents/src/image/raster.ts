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

/** A smaller copy to measure on: halved until its long side is near to so many pixels. */
export function shrunkTo(grey: Raster, longSidePx: number): { readonly small: Raster; readonly times: number } {
  let [small, times] = [grey, 1]
  for (; Math.max(small.widthPx, small.heightPx) > longSidePx * Math.SQRT2; times *= 2) small = halved(small)
  return { small, times }
}

/** Each pixel is the mean of the four that it stands for; a row or column that is left over is left out. */
export function halved({ data, widthPx, heightPx, channels, dpi }: Raster): Raster {
  if (channels !== 1) throw new RangeError(`A picture of ${channels} channels is not grey.`)
  const [halfWidthPx, halfHeightPx] = [widthPx >> 1, heightPx >> 1]
  const half = Buffer.allocUnsafe(halfWidthPx * halfHeightPx)
  for (let row = 0, to = 0; row < halfHeightPx; row++) {
    for (let at = 2 * row * widthPx, below = at + widthPx, end = at + 2 * halfWidthPx; at < end; at += 2, below += 2) {
      // All four are within the picture.
      const above = (data[at] as number) + (data[at + 1] as number)
      half[to++] = (above + (data[below] as number) + (data[below + 1] as number) + 2) >> 2
    }
  }
  return { data: half, widthPx: halfWidthPx, heightPx: halfHeightPx, channels, dpi: dpi / 2 }
}

/** Turned clockwise; what comes into the picture at the corners is white. */
export async function turned(raster: Raster, degrees: number): Promise<Raster> {
  if (degrees === 0) return raster
  return rasterOf(sharpOf(raster).rotate(degrees, { background: WHITE }), raster.dpi)
}

export async function scaledTo(raster: Raster, dpi: number): Promise<Raster> {
  const factor = dpi / raster.dpi
  if (Math.abs(factor - 1) < 0.01) return raster
  return resized(raster, { widthPx: raster.widthPx * factor, heightPx: raster.heightPx * factor })
}

/** A copy of that many pixels, rounded. Its resolution is that of its height. */
export async function resized(raster: Raster, to: Pick<Raster, 'widthPx' | 'heightPx'>): Promise<Raster> {
  const [width, height] = [to.widthPx, to.heightPx].map((pixels) => Math.max(1, Math.round(pixels)))
  if (width === raster.widthPx && height === raster.heightPx) return raster
  return rasterOf(sharpOf(raster).resize({ width, height, fit: 'fill' }), (raster.dpi * to.heightPx) / raster.heightPx)
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
