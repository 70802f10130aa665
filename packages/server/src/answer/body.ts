import type { z } from 'zod'
import { requestInvalid } from '../problem/http-problem.ts'
import { flawsOfIssues } from './flaws.ts'

/**
 * Reads a JSON body; one that is missing counts as an empty object.
 * @throws {HttpProblem} 400, pointing at each unknown or wrong field
 */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body ?? {})
  if (parsed.success) return parsed.data
  throw requestInvalid('The body', flawsOfIssues(parsed.error.issues, []))
}
