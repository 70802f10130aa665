/** @example sizeText(1536) // 1.50 KiB */
export function sizeText(size: number): string {
  if (size < 1024) return `${size} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length, Math.floor(Math.log(size) / Math.log(1024)))
  return `${(size / 1024 ** power).toPrecision(3)} ${units[power - 1]}`
}
