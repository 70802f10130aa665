import type { Json } from '@headrace/wire'
import { z } from 'zod'

export type JsonSchema = { readonly [key: string]: Json }

// OGC API - Processes 1.0 describes inputs and outputs in the dialect of OpenAPI 3.0.
const TARGET = 'openapi-3.0'

type WithJsonSchema = {
  readonly '~standard': {
    readonly jsonSchema?: Readonly<Record<'input' | 'output', (options: { target: string }) => Record<string, unknown>>>
  }
}

/**
 * The JSON Schema of a Standard Schema. What cannot be said in JSON Schema (a date, a custom check) becomes `{}`, "anything":
 * the schema itself still checks it.
 * @param side an input schema is described as it is sent, an output schema as it is received
 */
export function jsonSchemaOf(schema: object | undefined, side: 'input' | 'output'): JsonSchema {
  if (schema === undefined) return {}
  const described = schema instanceof z.ZodType ? ofZod(schema, side) : ofStandard(schema as WithJsonSchema, side)
  const { $schema: _, ...rest } = described
  return rest as JsonSchema // sound: a JSON Schema is JSON
}

function ofZod(schema: z.ZodType, side: 'input' | 'output'): Record<string, unknown> {
  return z.toJSONSchema(schema, { target: TARGET, io: side, unrepresentable: 'any' })
}

/** Without a schema of schemas, or with one that gives up, nothing is promised. */
function ofStandard(schema: WithJsonSchema, side: 'input' | 'output'): Record<string, unknown> {
  try {
    return schema['~standard'].jsonSchema?.[side]({ target: TARGET }) ?? {}
  } catch {
    return {} // Standard JSON Schema lets a library throw for what it cannot express
  }
}

/** The properties of an object schema, each complete by itself; undefined for any other schema. */
export function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> | undefined {
  const { type, properties, definitions } = schema
  if (type !== 'object' || properties === undefined) return undefined
  const entries = Object.entries(properties as Record<string, JsonSchema>) // sound: JSON Schema says so
  if (entries.length === 0) return undefined
  return Object.fromEntries(
    entries.map(([name, property]) => [
      name,
      definitions && hasReference(property) ? { ...property, definitions } : property,
    ]),
  )
}

function hasReference(schema: JsonSchema): boolean {
  return JSON.stringify(schema).includes('"$ref"')
}
