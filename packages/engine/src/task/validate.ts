import type { StandardSchemaV1 } from '@standard-schema/spec'
import { InputInvalidError, type InputIssue, OutputInvalidError } from '../errors.ts'
import type { AnyTask } from './workflow.ts'

/** Reads an unknown value by the task's input schema. @throws {InputInvalidError} */
export function parseInput(task: AnyTask, input: unknown): unknown {
  if (task.input === undefined) return input
  return parseBy(task.input, input, (issues) => new InputInvalidError(task.name, issues))
}

/** Reads a result by the task's output schema. @throws {OutputInvalidError} */
export function parseOutput(task: AnyTask, output: unknown): unknown {
  if (task.output === undefined) return output
  return parseBy(task.output, output, (issues) => new OutputInvalidError(task.name, issues))
}

/** @throws what `toError` makes of the schema's objections; a promise where the schema itself takes its time */
export function parseBy(
  schema: StandardSchemaV1,
  value: unknown,
  toError: (issues: readonly InputIssue[]) => Error,
): unknown {
  return afterwards(schema['~standard'].validate(value), toError)
}

type Validated = StandardSchemaV1.Result<unknown>

function afterwards(
  validated: Validated | Promise<Validated>,
  toError: (issues: readonly InputIssue[]) => Error,
): unknown {
  if (validated instanceof Promise) return validated.then((result) => checked(result, toError))
  return checked(validated, toError)
}

function checked(result: Validated, toError: (issues: readonly InputIssue[]) => Error): unknown {
  if (result.issues !== undefined) throw toError(result.issues.map(toIssue))
  return result.value
}

function toIssue(issue: StandardSchemaV1.Issue): InputIssue {
  const path = (issue.path ?? []).map((part) => {
    const key = typeof part === 'object' ? part.key : part
    return typeof key === 'number' ? key : String(key)
  })
  return { path, message: issue.message }
}
