import { HttpProblem } from '../problem/http-problem.ts'

const SIZE_MAX = 255
/** An RFC 8941 string, as the IETF draft wants it, or the bare text that most clients send. */
const QUOTED = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
const BARE = /^[\x21\x23-\x2b\x2d-\x7e]+$/

/**
 * Reads an `Idempotency-Key`; `"a"` and `a` are the same key.
 * @throws {HttpProblem} 400 when it is empty, too long or not plain ASCII
 */
export function parseIdempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const text = [header].flat().join(',').trim()
  const key = QUOTED.exec(text)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? (BARE.test(text) ? text : '')
  if (key.length >= 1 && key.length <= SIZE_MAX) return key
  throw new HttpProblem({
    status: 400,
    code: 'idempotency_key_invalid',
    title: 'The idempotency key is malformed',
    detail: `Idempotency-Key takes 1 to ${SIZE_MAX} printable ASCII characters, quoted or not, such as "8e03978e-40d5-43dd".`,
  })
}
