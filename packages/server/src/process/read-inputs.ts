import { InputInvalidError } from '@headrace/engine'
import type { Json } from '@headrace/wire'
import { type Flaw, HttpProblem, pointerOf } from '../problem/http-problem.ts'
import { problemOfInput } from '../problem/problem-of-error.ts'
import { type Process, SINGLE_INPUT } from './process.ts'

export type Inputs = { readonly [id: string]: Json }

/** What may stand around a value in OGC's `qualifiedInputValue`. */
const QUALIFIERS = ['value', 'mediaType', 'encoding', 'schema', 'format']

/**
 * Does something with the task's input, as an execute request names it; what the task's schema says against it is told
 * at its place among the inputs.
 * @throws {HttpProblem} 400, pointing at each input that is wrong
 */
export async function withInput<T>(
  process: Process,
  inputs: Inputs,
  use: (input: Json | undefined) => Promise<T>,
): Promise<T> {
  const input = readInputs(process, inputs)
  try {
    // A task without a schema takes no input just as well.
    return await use(input === undefined && !process.task.input ? null : input)
  } catch (error) {
    const prefix = process.inputShape === 'object' ? ['inputs'] : ['inputs', SINGLE_INPUT]
    throw error instanceof InputInvalidError ? problemOfInput(error, prefix) : error
  }
}

/** The inputs of an execute request that gives a task this input. */
export function toInputs(process: Process | undefined, input: Json): Inputs {
  if (process?.inputShape !== 'single' && isObject(input)) return input
  return input === null ? {} : { [SINGLE_INPUT]: input }
}

/**
 * The task's input from the inputs of an execute request: names checked, qualified values unwrapped. The values
 * themselves are checked by the task's own schema, in the engine.
 * @throws {HttpProblem} 400, pointing at each input that is unknown or given by reference
 */
function readInputs(process: Process, inputs: Inputs): Json | undefined {
  const flaws = Object.keys(inputs).flatMap((id) => flawsOf(process, id, inputs[id] ?? null))
  if (flaws.length > 0) throw inputInvalid(process, flaws)
  const values = Object.fromEntries(Object.entries(inputs).map(([id, value]) => [id, unwrap(process, id, value)]))
  return process.inputShape === 'object' ? values : values[SINGLE_INPUT]
}

function flawsOf(process: Process, id: string, value: Json): readonly Flaw[] {
  const pointer = pointerOf(['inputs', id])
  const known = Object.keys(process.inputs)
  if (!known.includes(id) && !process.takesMore) {
    return [{ pointer, detail: `There is no such input. The inputs are: ${known.join(', ')}.` }]
  }
  if (isReference(process, id, value)) {
    return [{ pointer, detail: 'An input by reference (href) is not fetched by this server. Send the value itself.' }]
  }
  return []
}

function inputInvalid(process: Process, errors: readonly Flaw[]): HttpProblem {
  const detail = errors.map((flaw) => `${flaw.pointer}: ${flaw.detail.replace(/\.$/, '')}`).join('; ')
  return new HttpProblem({
    status: 400,
    code: 'input_invalid',
    title: 'The input is invalid',
    detail: `The input of ${process.task.name} is invalid. ${detail}. Nothing was stored.`,
    errors,
  })
}

/** `{ value, mediaType?, … }` stands for its `value`, unless the input is an object that may have such a field itself. */
function unwrap(process: Process, id: string, value: Json): Json {
  if (!isObject(value) || value.value === undefined) return value
  if (!Object.keys(value).every((key) => QUALIFIERS.includes(key))) return value
  const schema = process.inputs[id]?.schema
  const inner = value.value
  if (hasProperty(schema, 'value')) return value
  return isObject(schema) && schema.type === 'object' && !isObject(inner) ? value : inner
}

function isReference(process: Process, id: string, value: Json): boolean {
  return isObject(value) && typeof value.href === 'string' && !mayBeObject(process.inputs[id]?.schema, 'href')
}

/** Whether a literal object with this field may be meant: the schema names it, or leaves open what an object holds. */
function mayBeObject(schema: Json | undefined, property: string): boolean {
  if (!isObject(schema)) return false
  if (hasProperty(schema, property)) return true
  return Object.keys(schema).length === 0 || (schema.type === 'object' && Boolean(schema.additionalProperties))
}

function hasProperty(schema: Json | undefined, property: string): boolean {
  return isObject(schema) && isObject(schema.properties) && property in schema.properties
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
