/** Calls `fn(i)` for each i below `count`, at most `inflightMax` at once. */
export async function inflight(count: number, inflightMax: number, fn: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await fn(next++)
  }
  await Promise.all(Array.from({ length: Math.min(inflightMax, count) }, lane))
}

/** The numbers below `count`, by the thousand: what one call of a bulk API is given. */
export function* chunks(count: number, size = 1_000): Generator<readonly number[]> {
  for (let from = 0; from < count; from += size) {
    yield Array.from({ length: Math.min(size, count - from) }, (_, k) => from + k)
  }
}
