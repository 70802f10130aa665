const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/**
 * A bar in eighths of a character.
 * @param fraction from 0 to 1
 * @param width    in characters
 * @example bar(0.5, 4) // '██  '
 */
export function bar(fraction: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * width * 8)
  const drawn = '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '')
  return drawn.padEnd(width)
}

/** @example percent(0.256) // ' 26 %' */
export function percent(fraction: number): string {
  return `${String(Math.floor(fraction * 100 + 1e-9)).padStart(3)} %`
}
