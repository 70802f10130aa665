export type ByteRange = { readonly start: number; readonly end: number }

/**
 * Reads a `Range` header of one range, the only kind that is served.
 * @returns the range with its end left out of it; `whole` for no range or one of a kind not understood, as RFC 9110 says;
 *          `unsatisfiable` when it lies beyond the end
 * @example parseByteRange('bytes=0-4', 10) // { start: 0, end: 5 }
 * @example parseByteRange('bytes=-3', 10)  // { start: 7, end: 10 }
 */
export function parseByteRange(header: string | undefined, sizeBytes: number): ByteRange | 'whole' | 'unsatisfiable' {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return 'whole'
  if (first === '') return suffix(Number(last), sizeBytes)
  const start = Number(first)
  const end = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes)
  if (last !== '' && Number(last) < start) return 'whole'
  return start < sizeBytes ? { start, end } : 'unsatisfiable'
}

function suffix(length: number, sizeBytes: number): ByteRange | 'unsatisfiable' {
  if (length === 0 || sizeBytes === 0) return 'unsatisfiable'
  return { start: Math.max(0, sizeBytes - length), end: sizeBytes }
}
