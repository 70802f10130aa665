import { detectAll } from 'tinyld'

/** Fewer letters may be of any language. */
const LETTERS_MIN = 40
const TEXT_LENGTH_MAX = 5_000
const ACCURACY_MIN = 0.1

/**
 * The language of a text as ISO 639-1 names it, or undefined where there is too little to tell.
 * @example detectLanguage('It was the best of times, it was the worst of times, it was the age of wisdom') // 'en'
 */
export function detectLanguage(text: string): string | undefined {
  const sample = text.slice(0, TEXT_LENGTH_MAX)
  if ((sample.match(/\p{L}/gu) ?? []).length < LETTERS_MIN) return undefined
  const [best] = detectAll(sample)
  return best !== undefined && best.accuracy >= ACCURACY_MIN ? best.lang : undefined
}
