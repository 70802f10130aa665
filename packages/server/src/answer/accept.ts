type Range = { readonly type: string; readonly q: number }

/**
 * Which of the offered media types a client likes best.
 * @param accept  the `Accept` header; all are welcome when it is absent
 * @param offered in the server's own order of preference, which decides between equals
 * @returns       undefined when none is welcome
 * @example preferredType('text/html,application/json;q=0.5', ['application/json', 'text/html']) // 'text/html'
 */
export function preferredType<const T extends string>(
  accept: string | undefined,
  offered: readonly T[],
): T | undefined {
  const ranges = (accept ?? '*/*').split(',').map(parseRange)
  let best: { type: T; q: number } | undefined
  for (const type of offered) {
    const q = qualityOf(type, ranges)
    if (q > (best?.q ?? 0)) best = { type, q }
  }
  return best?.type
}

/** The most specific range that matches decides. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const [main] = type.split('/')
  const find = (pattern: string) => ranges.find((range) => range.type === pattern)
  return (find(type) ?? find(`${main}/*`) ?? find('*/*'))?.q ?? 0
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  const quality = q === undefined ? 1 : Number(q)
  return { type, q: Number.isFinite(quality) ? Math.min(1, Math.max(0, quality)) : 0 }
}
