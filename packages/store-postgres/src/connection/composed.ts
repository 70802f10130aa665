import { type Prepared, UNNAMED } from './prepared.ts'

/** Composed queries are few in shape; those past so many are prepared anew each time. */
const TEXTS_MAX = 300

const names = new Map<string, string>()

/** A composed query under a name of its own, the same for the same text on every connection. */
export function composed(text: string): Prepared {
  let name = names.get(text)
  if (name === undefined) {
    if (names.size >= TEXTS_MAX) return { name: UNNAMED, text }
    name = `composed_${names.size + 1}`
    names.set(text, name)
  }
  return { name, text }
}
