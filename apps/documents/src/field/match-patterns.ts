// What the thread of extract-fields.ts runs; it is ended where a pattern takes too long.
import { parentPort, workerData } from 'node:worker_threads'

export type Search = { readonly name: string; readonly pattern: string; readonly flags: string }

/** Where a search found something first: `page` counts from 0, `start` is its place in that page's text. */
export type Found = 'none' | { readonly page: number; readonly start: number; readonly text: string }

const VALUE_LENGTH_MAX = 10_000

export function find({ pattern, flags }: Search, texts: readonly string[]): Found {
  const expression = new RegExp(pattern, `${flags}du`)
  for (const [page, text] of texts.entries()) {
    const match = expression.exec(text)
    if (!match) continue
    // The first group that took part, or all of it.
    const group = match.findIndex((part, index) => index > 0 && part !== undefined)
    const taken = group > 0 ? group : 0
    const start = match.indices?.[taken]?.[0] ?? match.index
    return { page, start, text: (match[taken] ?? '').slice(0, VALUE_LENGTH_MAX).trim() }
  }
  return 'none'
}

// Undefined where a test imports this.
if (parentPort && workerData?.searches) {
  const { searches, texts } = workerData as { searches: readonly Search[]; texts: readonly string[] } // as extract-fields.ts gives it
  for (const search of searches) parentPort.postMessage([search.name, find(search, texts)])
}
