import type { Json, ProcessDescription } from '@headrace/wire'

/** An input that has the shape of a process's schemas, to be filled in: required fields only, defaults where given. */
export function exampleInputs(process: ProcessDescription): Json {
  const required = Object.entries(process.inputs).filter(([, input]) => input.minOccurs > 0)
  return Object.fromEntries(required.map(([name, input]) => [name, exampleOf(input.schema)]))
}

export function exampleOf(schema: Json): Json {
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) return null
  const given = schema as { readonly [key: string]: Json }
  const first = (list: Json | undefined) => (Array.isArray(list) ? list[0] : undefined)
  const known = given.default ?? given.const ?? first(given.examples) ?? given.example ?? first(given.enum)
  if (known !== undefined) return known
  const choice = first(given.anyOf) ?? first(given.oneOf) ?? first(given.allOf)
  if (choice !== undefined) return exampleOf(choice)
  return exampleOfType(given)
}

function exampleOfType(schema: { readonly [key: string]: Json }): Json {
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return exampleObject(schema)
    case 'array':
      return []
    case 'string':
      return ''
    case 'number':
    case 'integer':
      return typeof schema.minimum === 'number' ? schema.minimum : 0
    case 'boolean':
      return false
    default:
      return schema.properties === undefined ? null : exampleObject(schema)
  }
}

function exampleObject(schema: { readonly [key: string]: Json }): Json {
  const properties = (schema.properties ?? {}) as { readonly [key: string]: Json } // Sound: JSON Schema says so.
  const required = Array.isArray(schema.required) ? schema.required : []
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => required.includes(name))
      .map(([name, inner]) => [name, exampleOf(inner)]),
  )
}

/** What a text is as inputs: an object, or why it is not. */
export function readInputs(
  text: string,
): { readonly inputs: { readonly [id: string]: Json } } | { readonly wrong: string } {
  try {
    const value: unknown = JSON.parse(text)
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return { inputs: value as { [id: string]: Json } }
    return { wrong: 'The inputs are one JSON object: { "name": value, … }.' }
  } catch (error) {
    return { wrong: `This is not JSON yet: ${error instanceof Error ? error.message : error}` }
  }
}
