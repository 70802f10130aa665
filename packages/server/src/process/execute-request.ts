import type { ExecuteRequest } from '@headrace/wire'
import { z } from 'zod'
import { flawsOfIssues } from '../answer/flaws.ts'
import { type Flaw, pointerOf, requestInvalid } from '../problem/http-problem.ts'
import type { Process } from './process.ts'

const Output = z.strictObject({
  transmissionMode: z.literal('value', { error: 'Only "value" is offered.' }).optional(),
  format: z.looseObject({}).optional(),
})

const Body = z.strictObject({
  inputs: z.record(z.string(), z.unknown()).default({}),
  outputs: z.record(z.string(), Output).optional(),
  response: z.enum(['raw', 'document']).optional(),
  priority: z.int().min(-1_000_000).max(1_000_000).optional(),
  tags: z.array(z.string().min(1).max(200)).max(50).optional(),
  dueAt: z.iso.datetime({ offset: true }).optional(),
  deadlineMs: z.int().positive().optional(),
  deployment: z.string().optional(),
})

/**
 * Reads the body of an execution.
 * @throws {HttpProblem} 400, pointing at each unknown or wrong field
 */
export function parseExecuteRequest(process: Process, body: unknown): ExecuteRequest & { readonly inputs: object } {
  const parsed = Body.safeParse(body ?? {})
  if (!parsed.success) throw requestInvalid('The body', flawsOfIssues(parsed.error.issues, []))
  const flaws = unknownOutputs(process, Object.keys(parsed.data.outputs ?? {}))
  if (flaws.length > 0) throw requestInvalid('The body', flaws)
  return parsed.data as ExecuteRequest & { readonly inputs: object } // sound: the schema says the same, and JSON holds Json
}

function unknownOutputs(process: Process, ids: readonly string[]): readonly Flaw[] {
  const known = Object.keys(process.outputs)
  return ids
    .filter((id) => !known.includes(id))
    .map((id) => ({
      pointer: pointerOf(['outputs', id]),
      detail: `There is no such output. There are: ${known.join(', ')}.`,
    }))
}
