import { CanvasUnresolvedError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { CanvasValue, Condition } from './node.ts'

/** What references can lead to, by their first word: ids, `previous`, `item`, `error`. */
export type Known = ReadonlyMap<string, Json>

type Fields = { readonly [key: string]: CanvasValue }

/** The reference that a value is, if it is one. */
export function refOf(value: unknown): string | undefined {
  if (!isObject(value) || Object.keys(value).length !== 1) return undefined
  return typeof value.$ref === 'string' ? value.$ref : undefined
}

/** What is in `{ "$literal": … }`, if a value is that. */
export function literalOf(value: unknown): { readonly literal: Json } | undefined {
  if (!isObject(value) || Object.keys(value).length !== 1 || !('$literal' in value)) return undefined
  return { literal: value.$literal as Json } // sound: all of it came from JSON
}

/** Puts results in the place of references. @throws {CanvasUnresolvedError} when one leads nowhere */
export function resolve(value: CanvasValue, known: Known): Json {
  const ref = refOf(value)
  if (ref !== undefined) return follow(ref, known)
  const literal = literalOf(value)
  if (literal !== undefined) return literal.literal
  if (Array.isArray(value)) return value.map((one) => resolve(one, known))
  if (!isObject(value)) return value as Json // sound: what is left is a number, a text, a boolean or null
  return Object.fromEntries(Object.entries(value as Fields).map(([key, one]) => [key, resolve(one, known)]))
}

/** Whether any part of a value is a reference. */
export function hasRef(value: unknown): boolean {
  if (refOf(value) !== undefined) return true
  if (literalOf(value) !== undefined) return false
  if (Array.isArray(value)) return value.some(hasRef)
  return isObject(value) && Object.values(value).some(hasRef)
}

/** As JavaScript has it: null, false, 0 and the empty text do not hold. */
export function holds(condition: Condition, known: Known): boolean {
  if (typeof condition === 'boolean') return condition
  if ('equals' in condition) return isSame(condition.equals.map((one) => resolve(one, known)))
  if ('greater' in condition) return isAscending(condition.greater.map((one) => resolve(one, known)).reverse())
  if ('less' in condition) return isAscending(condition.less.map((one) => resolve(one, known)))
  if ('not' in condition) return !holds(condition.not, known)
  if ('all' in condition) return condition.all.every((one) => holds(one, known))
  if ('any' in condition) return condition.any.some((one) => holds(one, known))
  return Boolean(follow(condition.$ref, known))
}

function follow(ref: string, known: Known): Json {
  const [name = '', ...keys] = ref.split('/')
  let value = known.get(name)
  for (const key of keys) value = step(value, key.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (value === undefined) throw new CanvasUnresolvedError(`the reference ${ref} leads to nothing`)
  return value
}

function step(value: Json | undefined, key: string): Json | undefined {
  if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined
  if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
  return (value as { readonly [key: string]: Json })[key]
}

/** By value, whatever the order of members. */
function isSame([a, b]: readonly (Json | undefined)[]): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, at) => isSame([one, b[at]]))
  if (!isObject(a) || !isObject(b) || Array.isArray(a) || Array.isArray(b)) return false
  const [left, right] = [a as Fields, b as Fields]
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame([left[key] as Json, right[key] as Json]))
  )
}

/** Numbers by size, texts by their letters; what is neither, or one of each, has no order. */
function isAscending([a, b]: readonly (Json | undefined)[]): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b
  return typeof a === 'string' && typeof b === 'string' && a < b
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
