import { Worker } from 'node:worker_threads'
import type { DocumentField, DocumentPage } from '@headrace/wire'
import type { DocumentLimits } from '../limits.ts'
import { boxAround } from '../page/line.ts'
import { type FieldsWish, patternOf } from './fields-wish.ts'
import type { Found, Search } from './match-patterns.ts'
import { propertySearch, readAsType } from './schema-fields.ts'

/** Looks for every field that is wished for; what cannot be found is null, what cannot be looked for says why. */
export async function extractFields(
  { patterns = {}, schema }: FieldsWish,
  pages: readonly DocumentPage[],
  limits: Pick<DocumentLimits, 'patternsMs'>,
): Promise<Record<string, DocumentField>> {
  const properties = Object.entries(schema?.properties ?? {})
  const searches: Search[] = [
    ...Object.entries(patterns).map(([name, value]) => ({ name, ...patternOf(value) })),
    ...properties.map(([name, property]) => propertySearch(name, property)),
  ]
  const found = await matchInThread(
    searches,
    pages.map(({ text }) => text),
    limits.patternsMs,
  )
  const types = new Map(properties.map(([name, property]) => [name, property.type]))
  return Object.fromEntries(
    searches.map(({ name }) => [name, toField(found.get(name), types.get(name), pages, limits.patternsMs)]),
  )
}

/**
 * A pattern may take longer than the world has (`(a+)+$`), and nothing but the end of its thread stops it. Those that were
 * found before it are kept; it and those after it are not looked for.
 */
function matchInThread(
  searches: readonly Search[],
  texts: readonly string[],
  timeoutMs: number,
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>()
  if (searches.length === 0) return Promise.resolve(found)
  const worker = new Worker(new URL('./match-patterns.ts', import.meta.url), { workerData: { searches, texts } })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => void worker.terminate(), timeoutMs)
    worker.on('message', ([name, one]: [string, Found]) => found.set(name, one))
    worker.on('error', reject)
    worker.on('exit', () => {
      clearTimeout(timer)
      resolve(found)
    })
  })
}

function toField(
  found: Found | undefined,
  type: unknown,
  pages: readonly DocumentPage[],
  timeoutMs: number,
): DocumentField {
  if (found === undefined) {
    const message = `The pattern, or one before it, was not through with the text within ${timeoutMs} ms. Make it simpler: no repetition within a repetition.`
    return { value: null, error: { code: 'pattern_too_slow', message } }
  }
  if (found === 'none') return { value: null }
  const page = pages[found.page]
  const value = type === undefined ? found.text : readAsType(found.text, type)
  const box = page && boxOfText(page, found.start, found.text)
  return { value, text: found.text, page: page?.number ?? 1, ...(box && { box }) }
}

/** The box around the words of a stretch of the page's text, which is made of the words in their order. */
function boxOfText(
  { text, words }: DocumentPage,
  start: number,
  found: string,
): DocumentPage['words'][number]['box'] | undefined {
  let at = 0
  const touched = words.filter((word) => {
    at = text.indexOf(word.text, at)
    const from = at
    at += word.text.length
    return from < start + found.length && at > start
  })
  return touched.length === 0 ? undefined : boxAround(touched)
}
