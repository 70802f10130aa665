import sharp, { type Sharp } from 'sharp'
import { ModelError } from '../errors.ts'
import { type ImageWish, imageAxes, type ModelInput } from '../manifest/manifest.ts'
import type { Tensor, TensorData } from '../tensor/tensor.ts'

// Pictures are decoded several at once, each by one thread: more would wait for each other.
sharp.concurrency(1)

/** Of a picture that is decoded: 100 megapixels are a 400 MB buffer. */
const PIXELS_MAX = 100_000_000

export type ImageInput = ModelInput & { readonly image: ImageWish }

/**
 * Decodes a picture, turns it upright, scales and crops it, and makes it one row of the input.
 * @throws {ModelError} `model_image_invalid` for what is no picture, or too large a one
 */
export async function imageTensor(bytes: Uint8Array, input: ImageInput): Promise<Tensor> {
  const { height, width } = imageAxes(input) as { height: number; width: number } // sound: the manifest was checked
  const pixels = await pixelsOf(bytes, { wish: input.image, height, width })
  const channels = input.image.color === 'gray' ? 1 : 3
  const dims = input.image.layout === 'nchw' ? [1, channels, height, width] : [1, height, width, channels]
  return { dtype: input.dtype, dims, data: valuesOf(pixels, input, { channels, size: height * width }) }
}

type Sides = { readonly wish: ImageWish; readonly height: number; readonly width: number }

async function pixelsOf(bytes: Uint8Array, sides: Sides): Promise<Uint8Array> {
  if (bytes.byteLength === 0) throw invalid('it is empty: it has 0 bytes')
  try {
    const picture = sharp(bytes, { limitInputPixels: PIXELS_MAX, failOn: 'error' })
    const flat = (await scaled(picture.autoOrient(), sides)).flatten({ background: '#000000' })
    const coloured = sides.wish.color === 'gray' ? flat.grayscale().toColourspace('b-w') : flat.toColourspace('srgb')
    return await coloured.raw({ depth: 'uchar' }).toBuffer()
  } catch (cause) {
    throw invalid((cause as Error).message, cause)
  }
}

async function scaled(picture: Sharp, { wish, height, width }: Sides): Promise<Sharp> {
  const fit = wish.fit === 'stretch' ? 'fill' : wish.fit
  if (wish.resize === undefined || wish.fit !== 'cover')
    return picture.resize({ width, height, fit, background: '#000000' })
  // As image classifiers are mostly trained: the shorter side to one size, then the middle of it.
  const { autoOrient: whole } = await picture.metadata()
  const factor = wish.resize / Math.min(whole.width, whole.height)
  const inner = { width: Math.round(whole.width * factor), height: Math.round(whole.height * factor) }
  const corner = { left: Math.floor((inner.width - width) / 2), top: Math.floor((inner.height - height) / 2) }
  return picture.resize({ ...inner, fit: 'fill' }).extract({ ...corner, width, height })
}

/** `(value * scale - mean) / std` per channel, in the order and the layout that the model wants. */
function valuesOf(
  pixels: Uint8Array,
  { dtype, image }: ImageInput,
  { channels, size }: { readonly channels: number; readonly size: number },
): TensorData {
  const values = dtype === 'uint8' ? new Uint8Array(size * channels) : new Float32Array(size * channels)
  const [perPixel, perChannel] = image.layout === 'nchw' ? [1, size] : [channels, 1]
  for (let channel = 0; channel < channels; channel++) {
    const table = valueTable(dtype, image, channel)
    let source = image.color === 'bgr' ? channels - 1 - channel : channel
    let target = channel * perChannel
    for (let at = 0; at < size; at++) {
      values[target] = table[pixels[source] as number] as number // sound: pixels has a value for each, and the table all 256
      source += channels
      target += perPixel
    }
  }
  return values
}

/** What each of a pixel's 256 values becomes in one channel. */
function valueTable(dtype: ImageInput['dtype'], { scale, mean, std }: ImageWish, channel: number): Float64Array {
  const [less, by] = [mean?.[channel] ?? 0, std?.[channel] ?? 1]
  return Float64Array.from({ length: 256 }, (_, value) => (dtype === 'uint8' ? value : (value * scale - less) / by))
}

function invalid(why: string, cause?: unknown): ModelError {
  const message = `The picture cannot be read: ${why}. Send a PNG, JPEG, WebP, TIFF, GIF or AVIF of at most ${PIXELS_MAX / 1e6} megapixels.`
  return new ModelError('model_image_invalid', message, { cause })
}
