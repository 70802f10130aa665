/**
 * What `Retry-After` asks for. A date is compared with the response's own `Date`, for the clock on this side may be wrong.
 * @returns milliseconds from now, or undefined when the header is absent or unreadable
 * @example retryAfterMs(new Headers({ 'retry-after': '3' })) // 3_000
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (!value) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const delayMs = Date.parse(value) - Date.parse(headers.get('date') ?? '')
  return Number.isNaN(delayMs) ? undefined : Math.max(0, delayMs)
}
