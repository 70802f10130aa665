import type { AnyTask } from '@headrace/engine'
import type { Link, ProcessDescription, ProcessInput, ProcessOutput, ProcessSummary } from '@headrace/wire'
import { type JsonSchema, jsonSchemaOf, propertiesOf } from './json-schema.ts'

/** A public task or workflow as OGC API - Processes sees it: named inputs and named outputs. */
export type Process = {
  readonly task: AnyTask
  readonly inputs: Readonly<Record<string, ProcessInput>>
  readonly outputs: Readonly<Record<string, ProcessOutput>>
  /** `object`: the task's input is the object of all inputs. `single`: it is the value of the one input `input`. */
  readonly inputShape: 'object' | 'single'
  readonly outputShape: 'object' | 'single'
  /** Whether the input schema takes inputs that it does not name. */
  readonly takesMore: boolean
}

export const SINGLE_INPUT = 'input'
export const SINGLE_OUTPUT = 'result'

/** Every public task, by its name. */
export function listProcesses(tasks: Iterable<AnyTask>): ReadonlyMap<string, Process> {
  return new Map([...tasks].filter((task) => task.public).map((task) => [task.name, toProcess(task)]))
}

/** An object schema gives its properties as inputs (or outputs); any other is one input `input` (one output `result`). */
export function toProcess(task: AnyTask): Process {
  const input = jsonSchemaOf(task.input, 'input')
  const output = jsonSchemaOf(task.output, 'output')
  const inputProperties = propertiesOf(input)
  const outputProperties = propertiesOf(output)
  return {
    task,
    inputShape: inputProperties ? 'object' : 'single',
    outputShape: outputProperties ? 'object' : 'single',
    takesMore: inputProperties !== undefined && Boolean(input.additionalProperties),
    inputs: inputProperties
      ? toInputs(inputProperties, input)
      : { [SINGLE_INPUT]: toInput(input, !acceptsNothing(task)) },
    outputs: mapValues(outputProperties ?? { [SINGLE_OUTPUT]: output }, toOutput),
  }
}

export function summarize(process: Process, url: string): ProcessSummary {
  const { task } = process
  return {
    id: task.name,
    version: task.version ?? '1.0.0',
    title: task.title ?? task.name,
    ...(task.description === undefined ? {} : { description: task.description }),
    jobControlOptions: ['sync-execute', 'async-execute', 'dismiss'],
    outputTransmission: ['value'],
    links: linksOf(url),
  }
}

export function describe(process: Process, url: string): ProcessDescription {
  return { ...summarize(process, url), inputs: process.inputs, outputs: process.outputs }
}

function linksOf(url: string): readonly Link[] {
  return [
    { href: `${url}?f=json`, rel: 'self', type: 'application/json', title: 'the process' },
    { href: `${url}?f=html`, rel: 'alternate', type: 'text/html', title: 'the process as text/html' },
    {
      href: `${url}/execution`,
      rel: 'http://www.opengis.net/def/rel/ogc/1.0/execute',
      type: 'application/json',
      title: 'execute it (POST)',
    },
  ]
}

function toInputs(properties: Readonly<Record<string, JsonSchema>>, schema: JsonSchema): Process['inputs'] {
  const required = (schema.required ?? []) as readonly string[] // sound: JSON Schema says so
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, toInput(property, required.includes(name))]),
  )
}

function toInput(schema: JsonSchema, isRequired: boolean): ProcessInput {
  return { ...titlesOf(schema), schema, minOccurs: isRequired ? 1 : 0, maxOccurs: 1 }
}

function toOutput(schema: JsonSchema): ProcessOutput {
  return { ...titlesOf(schema), schema }
}

function titlesOf({ title, description }: JsonSchema): { title?: string; description?: string } {
  return {
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
  }
}

/** A task without an input schema takes no input just as well. */
function acceptsNothing(task: AnyTask): boolean {
  return task.input === undefined
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, map: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
