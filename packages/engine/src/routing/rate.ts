/** At most `count` jobs of a queue are begun per `perMs` milliseconds, over all workers; after a rest, `count` at once. */
export type Rate = { readonly count: number; readonly perMs: number }

/** A token bucket, as it was at an instant. Each job that is begun takes one token. */
export type Bucket = { readonly tokens: number; readonly at: number }

/** Sums of fractions come out a little beside the point. */
const TOLERANCE = 1e-6

export function refilled({ count, perMs }: Rate, { tokens, at }: Bucket, now: number): Bucket {
  return { tokens: Math.min(count, tokens + (Math.max(0, now - at) * count) / perMs), at: Math.max(now, at) }
}

/** How many jobs may be begun now. */
export function wholeTokens({ tokens }: Bucket): number {
  return Math.max(0, Math.floor(tokens + TOLERANCE))
}

/** When the bucket holds a token again; not after its own instant when it holds one. */
export function nextTokenAt({ count, perMs }: Rate, { tokens, at }: Bucket): number {
  return at + Math.ceil((Math.max(0, 1 - tokens - TOLERANCE) * perMs) / count)
}
