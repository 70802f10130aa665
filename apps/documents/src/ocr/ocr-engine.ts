import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { DocumentWord } from '@headrace/wire'
import { createWorker, OEM, PSM, type Worker } from 'tesseract.js'
import { DocumentError } from '../errors.ts'
import { inkIn } from '../image/binary.ts'
import type { Raster } from '../image/raster.ts'
import { gatherTrainedData, type TrainedDataPlaces } from './trained-data.ts'
import { wordsOfTsv } from './tsv.ts'

/** WebAssembly never gives memory back: an engine is renewed after so many pages. */
const PAGES_MAX = 200

/** One Tesseract, warm: its language data are loaded, and it reads one page at a time in a thread of its own. */
export class OcrEngine {
  readonly #worker: Worker
  #pages = 0
  #isLost = false

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  static async open(languages: readonly string[], places: TrainedDataPlaces): Promise<OcrEngine> {
    const langPath = await gatherTrainedData(languages, places)
    const worker = await createWorker([...languages], OEM.LSTM_ONLY, {
      langPath,
      // Gzipped or not is seen by the content.
      gzip: false,
      cacheMethod: 'none',
      corePath: dirname(createRequire(import.meta.url).resolve('tesseract.js-core/package.json')),
      errorHandler: () => undefined, // the promise of what failed is rejected, too
    })
    return new OcrEngine(worker)
  }

  get isWorn(): boolean {
    return this.#isLost || this.#pages >= PAGES_MAX
  }

  /**
   * The words of a grey picture, upright and straight, in reading order.
   * @throws {DocumentError} document_too_slow, ocr_failed; or the signal's reason. The engine is then ended.
   */
  async read(
    raster: Raster,
    { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
  ): Promise<DocumentWord[]> {
    this.#pages++
    const stop = Promise.withResolvers<never>()
    const timer = setTimeout(() => stop.reject(tooSlow(timeoutMs)), timeoutMs)
    const abort = () => stop.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      const { data } = await Promise.race([this.#recognise(raster), stop.promise])
      return wordsOfTsv(data.tsv ?? '', inkIn(raster))
    } catch (thrown) {
      await this.close()
      if (thrown instanceof DocumentError || signal.aborted) throw thrown
      throw new DocumentError('ocr_failed', `Tesseract could not read the page: ${String(thrown)}`, {
        cause: thrown,
        retryable: true,
      })
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
  }

  async #recognise(raster: Raster) {
    await this.#worker.setParameters({
      tessedit_pageseg_mode: PSM.AUTO,
      user_defined_dpi: String(Math.round(raster.dpi)),
    })
    return this.#worker.recognize(toPgm(raster), {}, { text: false, tsv: true })
  }

  async close(): Promise<void> {
    this.#isLost = true
    await this.#worker.terminate()
  }
}

/** A grey picture in the simplest format that Leptonica reads, so that nobody packs it only to unpack it again. */
function toPgm({ data, widthPx, heightPx, channels }: Raster): Buffer {
  if (channels !== 1) throw new RangeError(`A picture of ${channels} channels is not grey.`)
  return Buffer.concat([Buffer.from(`P5\n${widthPx} ${heightPx}\n255\n`), data])
}

function tooSlow(timeoutMs: number): DocumentError {
  return new DocumentError('document_too_slow', `The page was not recognised within ${timeoutMs} ms, and was given up.`)
}
