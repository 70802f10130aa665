import { OcrEngine } from './ocr-engine.ts'
import type { TrainedDataPlaces } from './trained-data.ts'

let warm: { readonly key: string; readonly engine: Promise<OcrEngine> } | undefined

/** This thread's engine: opened once, and kept for as long as the pages are in the same languages. */
export async function warmEngine(languages: readonly string[], places: TrainedDataPlaces): Promise<OcrEngine> {
  const key = JSON.stringify([languages, places.tessdataDirs])
  const last = warm
  if (last?.key === key && !(await last.engine).isWorn) return last.engine
  const engine = OcrEngine.open(languages, places)
  warm = { key, engine }
  await (await last?.engine.catch(() => undefined))?.close()
  engine.catch(() => {
    if (warm?.engine === engine) warm = undefined
  })
  return engine
}
