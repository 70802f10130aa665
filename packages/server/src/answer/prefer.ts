/** RFC 7240, as far as OGC API - Processes uses it. */
export type Preference = { readonly respondAsync: boolean; readonly waitSeconds?: number }

/**
 * Reads a `Prefer` header; what it does not know it leaves alone, as the RFC asks.
 * @example parsePrefer('respond-async, wait=5') // { respondAsync: true, waitSeconds: 5 }
 */
export function parsePrefer(header: string | readonly string[] | undefined): Preference {
  const tokens = [header ?? []].flat().join(',').toLowerCase().replaceAll('"', '').split(/[,;]/)
  const named = new Map(tokens.map((token) => token.trim().split(/\s*=\s*/) as [string, string | undefined]))
  const wait = named.get('wait')
  return {
    respondAsync: named.has('respond-async'),
    ...(wait !== undefined && /^\d{1,9}$/.test(wait) ? { waitSeconds: Number(wait) } : {}),
  }
}
