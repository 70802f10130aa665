import { z } from 'zod'
import { requestInvalid } from '../problem/http-problem.ts'
import { flawsOfIssues } from './flaws.ts'

/**
 * Reads a query string. An unknown parameter is refused, for it is a typing error that would otherwise show everything.
 * `f` and `token` belong to the server and are let through.
 * @throws {HttpProblem} 400, with the parameter's name as the pointer
 */
export function parseQuery<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, query: unknown) {
  const parsed = schema
    .extend({ f: z.enum(['json', 'html']).optional() })
    .strict()
    .safeParse(query)
  if (parsed.success) return parsed.data as z.output<z.ZodObject<Shape>> & { readonly f?: 'json' | 'html' } // sound: what was extended
  throw requestInvalid('The query', flawsOfIssues(parsed.error.issues, []))
}

/** `a,b` and repeated parameters alike. */
export const listParameter = z.union([z.string(), z.array(z.string())]).transform((value) =>
  [value]
    .flat()
    .flatMap((text) => text.split(','))
    .filter((text) => text !== ''),
)

export const booleanParameter = z.enum(['true', 'false']).transform((value) => value === 'true')

export function integerParameter(range: { readonly min: number; readonly max: number }) {
  return z.coerce.number({ error: 'a whole number is expected' }).int().min(range.min).max(range.max)
}

/** OGC's `limit`. */
export const limitParameter = integerParameter({ min: 1, max: 10_000 })
/** How long an answer may wait for something to happen. */
export const waitParameter = z.coerce.number().min(0).max(60)
export const cursorParameter = integerParameter({ min: 0, max: Number.MAX_SAFE_INTEGER })
