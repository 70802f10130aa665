/** Calls `fn(i)` for each i below `count`, at most `inflightMax` at once. */
export async function inflight(count: number, inflightMax: number, fn: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await fn(next++)
  }
  await Promise.all(Array.from({ length: Math.min(inflightMax, count) }, lane))
}
