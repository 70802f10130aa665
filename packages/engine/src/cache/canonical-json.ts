import type { Json } from '../json.ts'

/**
 * One text for each JSON value, whatever the order in which its members were written (RFC 8785): members by the UTF-16
 * code units of their names, no white space, numbers and strings as ECMAScript writes them.
 * @example canonicalJson({ b: 1, a: [1.50, 'é'] }) // {"a":[1.5,"é"],"b":1}
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value as { readonly [key: string]: Json })
  members.sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}
