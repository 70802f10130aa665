import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import type { Grid } from '../grid/grid.ts'
import { applyPredictor } from '../tiff/predictor.ts'
import { allocateCells, bytesOfCells, bytesPerCell, type Cells } from './cell-type.ts'
import { layOutCog } from './cog-layout.ts'
import { blockSide, type CogLevel, type CogShape, predictorOf } from './cog-shape.ts'
import { halve } from './overview.ts'

const deflateAsync = promisify(deflate)

/**
 * Writes a Cloud Optimized GeoTIFF as its rows come in: blocks of 256 × 256 cells, deflated, with overviews down to one block.
 * Rows are compressed into one temporary file per level, since a COG has its coarsest level first and its full
 * resolution last; `finish` puts them together. It holds up to 256 rows of each level (about twice the first), never the
 * raster.
 *
 * Call `writeRows` from top to bottom with 256 rows each (fewer only the last time), then `finish`; `discard` in any case.
 */
export class CogWriter {
  readonly #path: string
  readonly #shape: CogShape
  readonly #levels: LevelWriter[]

  constructor(path: string, shape: CogShape) {
    this.#path = path
    this.#shape = shape
    this.#levels = levelSizes(shape.grid).map(
      (size, level) => new LevelWriter(`${path}.${level}-${randomUUID()}`, shape, size),
    )
  }

  async writeRows(cells: Cells, signal?: AbortSignal): Promise<void> {
    await this.#pushRows(0, cells, signal)
  }

  async #pushRows(index: number, cells: Cells, signal?: AbortSignal): Promise<void> {
    const level = this.#levels[index]
    if (!level) return
    for (const full of level.fill(cells)) {
      signal?.throwIfAborted()
      await level.writeBlocks(full.cells, full.rows)
      if (index + 1 === this.#levels.length) continue
      const { cellType, nodata, overviewRule: rule } = this.#shape
      await this.#pushRows(
        index + 1,
        halve(full.cells, { rows: full.rows, cols: level.cols, cellType, nodata, rule }),
        signal,
      )
    }
  }

  /** Writes the file and makes it durable. Only then is it whole. */
  async finish(signal?: AbortSignal): Promise<{ sizeBytes: number; overviews: number }> {
    const head = layOutCog(this.#shape, this.#levels)
    const file = await open(this.#path, 'wx')
    try {
      await file.write(head, 0, head.length, 0)
      let position = head.length
      for (const level of this.#levels.toReversed()) position = await level.copyTo(file, position, signal)
      await file.sync()
      return { sizeBytes: position, overviews: this.#levels.length - 1 }
    } finally {
      await file.close()
    }
  }

  /** Removes the temporary files. The finished file stays. */
  async discard(): Promise<void> {
    for (const level of this.#levels) await level.discard()
  }
}

// Halves the grid until it fits one block.
function levelSizes({ rows, cols }: Grid): { rows: number; cols: number }[] {
  const sizes = [{ rows, cols }]
  for (let size = { rows, cols }; size.rows > blockSide || size.cols > blockSide; ) {
    size = { rows: Math.ceil(size.rows / 2), cols: Math.ceil(size.cols / 2) }
    sizes.push(size)
  }
  return sizes
}

const copyBytes = 1024 * 1024
const blocksInFlight = 8

class LevelWriter implements CogLevel {
  readonly rows: number
  readonly cols: number
  readonly blockBytes: number[] = []
  readonly #path: string
  readonly #shape: CogShape
  #file: FileHandle | undefined
  #position = 0
  #rowsDone = 0
  #waiting: Cells | undefined
  #waitingRows = 0

  constructor(path: string, shape: CogShape, size: { rows: number; cols: number }) {
    this.#path = path
    this.#shape = shape
    this.rows = size.rows
    this.cols = size.cols
  }

  /** Takes rows in, and gives back each 256 that have come together, or the level's last ones. */
  *fill(cells: Cells): Generator<{ cells: Cells; rows: number }> {
    const rows = cells.length / this.cols
    for (let taken = 0; taken < rows; ) {
      this.#waiting ??= allocateCells(this.#shape.cellType, blockSide * this.cols)
      const count = Math.min(rows - taken, blockSide - this.#waitingRows)
      this.#waiting.set(cells.subarray(taken * this.cols, (taken + count) * this.cols), this.#waitingRows * this.cols)
      this.#waitingRows += count
      taken += count
      const isLast = this.#rowsDone + this.#waitingRows === this.rows
      if (this.#waitingRows < blockSide && !isLast) return
      yield { cells: this.#waiting.subarray(0, this.#waitingRows * this.cols), rows: this.#waitingRows }
      this.#rowsDone += this.#waitingRows
      this.#waitingRows = 0
    }
  }

  async writeBlocks(cells: Cells, rows: number): Promise<void> {
    this.#file ??= await open(this.#path, 'wx+')
    const across = Math.ceil(this.cols / blockSide)
    for (let first = 0; first < across; first += blocksInFlight) {
      const count = Math.min(blocksInFlight, across - first)
      const packed = await Promise.all(Array.from({ length: count }, (_, i) => this.#packBlock(cells, rows, first + i)))
      for (const block of packed) {
        await this.#file.write(block, 0, block.length, this.#position)
        this.#position += block.length
        this.blockBytes.push(block.length)
      }
    }
  }

  async #packBlock(cells: Cells, rows: number, blockCol: number): Promise<Buffer> {
    const { cellType, nodata } = this.#shape
    const block = allocateCells(cellType, blockSide * blockSide)
    const firstCol = blockCol * blockSide
    const width = Math.min(blockSide, this.cols - firstCol)
    if (width < blockSide || rows < blockSide) block.fill(nodata ?? 0)
    for (let row = 0; row < rows; row++) {
      block.set(cells.subarray(row * this.cols + firstCol, row * this.cols + firstCol + width), row * blockSide)
    }
    const predictor = predictorOf(this.#shape)
    const layout = {
      rows: blockSide,
      valuesPerRow: blockSide,
      samples: 1,
      bytesPerValue: bytesPerCell(cellType),
      predictor,
      isLittleEndian: true,
    }
    return await deflateAsync(applyPredictor(bytesOfCells(block), layout))
  }

  async copyTo(target: FileHandle, position: number, signal?: AbortSignal): Promise<number> {
    const buffer = Buffer.allocUnsafe(Math.min(copyBytes, Math.max(1, this.#position)))
    for (let done = 0; done < this.#position; ) {
      signal?.throwIfAborted()
      const { bytesRead } = (await this.#file?.read(buffer, 0, buffer.length, done)) ?? { bytesRead: 0 }
      if (bytesRead === 0) throw new Error(`The temporary file ${this.#path} lost bytes that were written to it.`)
      await target.write(buffer, 0, bytesRead, position + done)
      done += bytesRead
    }
    return position + this.#position
  }

  async discard(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
    await rm(this.#path, { force: true })
  }
}
