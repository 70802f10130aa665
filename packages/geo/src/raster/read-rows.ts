import { readBlock, rowsOfBlock } from '../tiff/decode-block.ts'
import type { TiffImage } from '../tiff/tiff-image.ts'
import { allocateCells, bytesPerCell, type Cells, normaliseNodata } from './cell-type.ts'

const blocksInFlight = 4
const keptBytesMax = 128 * 1024 * 1024

/**
 * Reads a raster from top to bottom, some full rows at a time. It holds those rows, a few blocks being decoded, and the blocks
 * that reach below them (up to `keptBytesMax`; more are decoded again), never the raster.
 */
export class RowReader {
  readonly #image: TiffImage
  readonly #band: number
  readonly #nodata: number | null
  readonly #kept = new Map<string, Cells | undefined>()

  constructor(image: TiffImage, band: number, nodata: number | null) {
    this.#image = image
    this.#band = band
    this.#nodata = nodata
  }

  /** Rows `row` to `row + rows - 1`, all columns, row by row. Missing cells are exactly nodata; a left-out block is missing. */
  async read(row: number, rows: number, signal?: AbortSignal): Promise<Cells> {
    const image = this.#image
    const cells = allocateCells(image.cellType, rows * image.cols)
    const blocks = this.#blocksOf(row, rows)
    for (let i = 0; i < blocks.length; i += blocksInFlight) {
      signal?.throwIfAborted()
      await Promise.all(
        blocks.slice(i, i + blocksInFlight).map((block) => this.#copyBlock(block, { cells, row, rows })),
      )
    }
    normaliseNodata(cells, image.cellType, this.#nodata)
    return cells
  }

  #blocksOf(row: number, rows: number): { blockRow: number; blockCol: number }[] {
    const { blockRows, blocksAcross } = this.#image
    const blocks: { blockRow: number; blockCol: number }[] = []
    for (let blockRow = Math.floor(row / blockRows); blockRow * blockRows < row + rows; blockRow++) {
      for (let blockCol = 0; blockCol < blocksAcross; blockCol++) blocks.push({ blockRow, blockCol })
    }
    return blocks
  }

  async #copyBlock(
    block: { blockRow: number; blockCol: number },
    into: { cells: Cells; row: number; rows: number },
  ): Promise<void> {
    const { blockRows, blockCols, cols } = this.#image
    const cells = await this.#readBlock(block, into.row + into.rows)
    const firstRow = Math.max(block.blockRow * blockRows, into.row)
    const lastRow =
      Math.min(block.blockRow * blockRows + rowsOfBlock(this.#image, block.blockRow), into.row + into.rows) - 1
    const firstCol = block.blockCol * blockCols
    const width = Math.min(blockCols, cols - firstCol)
    for (let row = firstRow; row <= lastRow; row++) {
      const target = (row - into.row) * cols + firstCol
      const source = (row - block.blockRow * blockRows) * blockCols
      if (cells) into.cells.set(cells.subarray(source, source + width), target)
      else into.cells.fill(this.#nodata ?? 0, target, target + width)
    }
  }

  // A block that reaches below the rows asked for is kept for the next ones.
  async #readBlock(block: { blockRow: number; blockCol: number }, belowRow: number): Promise<Cells | undefined> {
    const key = `${block.blockRow}/${block.blockCol}`
    const endRow = (block.blockRow + 1) * this.#image.blockRows
    if (this.#kept.has(key)) {
      const cells = this.#kept.get(key)
      if (endRow <= belowRow) this.#kept.delete(key)
      return cells
    }
    const cells = await readBlock(this.#image, { ...block, band: this.#band })
    if (endRow > belowRow && this.#hasRoom()) this.#kept.set(key, cells)
    return cells
  }

  #hasRoom(): boolean {
    const { blockRows, blockCols, cellType } = this.#image
    return (this.#kept.size + 1) * blockRows * blockCols * bytesPerCell(cellType) <= keptBytesMax
  }
}
