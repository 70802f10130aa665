import { join } from 'node:path'
import { LayerDamagedError, LayerNotFoundError } from '../errors.ts'
import type { Cells } from '../raster/cell-type.ts'
import { readBlock, readBlockSync } from '../tiff/decode-block.ts'
import { TiffFile } from '../tiff/tiff-file.ts'
import { readTiffImage, type TiffImage } from '../tiff/tiff-image.ts'
import { type Catalogue, getLayer } from './catalogue.ts'
import type { Layer } from './layer.ts'

const attemptsMax = 3

/**
 * Opens a layer for counting and drawing. The handle holds one file open: `close` it, or declare it with `using`. It reads
 * the layer as it was when opened, even when the layer is replaced or removed meanwhile.
 * @throws {LayerNameInvalidError | LayerNotFoundError} for the name
 * @throws {LayerDamagedError} when its file is missing, cut off or not what the manifest says
 * @example using layer = await openLayer(catalogue, 'nlcd-2019')
 */
export async function openLayer(catalogue: Catalogue, name: string): Promise<LayerHandle> {
  for (let attempt = 1; ; attempt++) {
    const layer = await getLayer(catalogue, name)
    try {
      return new LayerHandle(layer, join(catalogue.folder, layer.file))
    } catch (error) {
      // Replaced between the manifest and the file: the new manifest names the new file.
      const isReplaced = attempt < attemptsMax && (await isOtherFile(catalogue, layer))
      if (!isReplaced) throw error
    }
  }
}

async function isOtherFile(catalogue: Catalogue, layer: Layer): Promise<boolean> {
  try {
    return (await getLayer(catalogue, layer.name)).file !== layer.file
  } catch (error) {
    if (error instanceof LayerNotFoundError) throw error
    return false
  }
}

/** An open layer. Its cells are read block by block, at full resolution (level 0) or from an overview. */
export class LayerHandle implements Disposable {
  readonly layer: Layer
  readonly path: string
  readonly #file: TiffFile
  readonly #levels: readonly TiffImage[]

  /** @throws {LayerDamagedError} when the file is not the layer's */
  constructor(layer: Layer, path: string) {
    this.layer = layer
    this.path = path
    const { file, levels } = openLevels(layer, path)
    this.#file = file
    this.#levels = levels
  }

  /** Rows, columns and blocks of each resolution, finest first; level n has cells 2^n as wide as level 0. */
  get levels(): readonly Pick<
    TiffImage,
    'rows' | 'cols' | 'blockRows' | 'blockCols' | 'blocksDown' | 'blocksAcross'
  >[] {
    return this.#levels
  }

  /** One block's cells, 256 × 256; those beyond the grid's edge hold nodata or 0. @throws {LayerDamagedError} */
  async readBlock(level: number, at: { blockRow: number; blockCol: number }): Promise<Cells> {
    try {
      return required(await readBlock(this.#image(level), { ...at, band: 0 }))
    } catch (cause) {
      throw new LayerDamagedError(this.layer.name, { cause })
    }
  }

  /** As `readBlock`, at once: for a thread of its own. */
  readBlockSync(level: number, at: { blockRow: number; blockCol: number }): Cells {
    try {
      return required(readBlockSync(this.#image(level), { ...at, band: 0 }))
    } catch (cause) {
      throw new LayerDamagedError(this.layer.name, { cause })
    }
  }

  #image(level: number): TiffImage {
    const image = this.#levels[level]
    if (!image) throw new RangeError(`it has no level ${level}.`)
    return image
  }

  close(): void {
    this.#file.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function openLevels(layer: Layer, path: string): { file: TiffFile; levels: TiffImage[] } {
  let file: TiffFile | undefined
  try {
    file = new TiffFile(path)
    const opened = file
    const levels = file.directories.map((directory) => readTiffImage(opened, directory))
    requireShape(layer, levels[0])
    return { file, levels }
  } catch (cause) {
    file?.close()
    throw new LayerDamagedError(layer.name, { cause })
  }
}

function requireShape(layer: Layer, image: TiffImage | undefined): void {
  const { rows, cols } = layer.grid
  if (image?.rows === rows && image.cols === cols && image.cellType === layer.cellType) return
  throw new Error(
    `its file holds ${image?.rows} rows by ${image?.cols} columns of ${image?.cellType}, not what its manifest says.`,
  )
}

// Our writer leaves no block out.
function required(cells: Cells | undefined): Cells {
  if (!cells) throw new Error('a block is missing from its file.')
  return cells
}
