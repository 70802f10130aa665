/**
 * How long, in the two largest units.
 * @example durationText(61_000) // '1 min 1 s'
 */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return two(minutes, 'min', seconds % 60, 's')
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? two(hours, 'h', minutes % 60, 'min') : two(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

/** @example ageText('2030-01-01T00:00:00Z', Date.parse('2030-01-01T00:02:00Z')) // '2 min ago' */
export function ageText(at: string, now: number): string {
  const ms = now - Date.parse(at)
  if (ms < 1_000) return 'now'
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h ago` : `${Math.floor(seconds / 86_400)} d ago`
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * Reads `90s`, `15m`, `2h`, `30d`, or plain seconds.
 * @returns milliseconds, or undefined when it is none of these
 */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?) *(ms|s|m|min|h|d)?$/.exec(text.trim()) ?? []
  const unitMs = UNITS_MS[unit]
  return amount === undefined || unitMs === undefined ? undefined : Number(amount) * unitMs
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}
