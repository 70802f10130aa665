/** Red, green, blue and opacity of one palette entry, 0 to 255 each. */
export type Rgba = readonly [red: number, green: number, blue: number, alpha: number]

/**
 * Encodes an image of palette entries as PNG.
 * @param indexes row by row, `width * height` of them
 * @param palette at most 256 entries
 */
export async function encodePng(
  indexes: Uint8Array,
  { width, height, palette }: { width: number; height: number; palette: readonly Rgba[] },
): Promise<Buffer> {
  // Loaded with the first tile: a process that draws none does without its 20 MB.
  const { default: sharp } = await import('sharp')
  const pixels = Buffer.alloc(width * height * 4)
  for (let pixel = 0; pixel < indexes.length; pixel++) pixels.set(palette[indexes[pixel] ?? 0] ?? clear, pixel * 4)
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 6 })
    .toBuffer()
}

const clear: Rgba = [0, 0, 0, 0]
