import { text as readAll } from 'node:stream/consumers'
import type { Json, ProcessDescription } from '@headrace/wire'
import { UsageError } from '../errors.ts'
import { parseJson, readJsonFile, readTextFile } from './json-file.ts'

export type Inputs = { readonly [id: string]: Json }

/**
 * The inputs of a submission: an object from `-i` (`@file.json`, `-` for stdin, or the JSON itself), and single ones as
 * `key=value` on top of it. A value is read as its schema wants it: `007` stays text where text is asked for.
 * `key=@file.json` takes a file's content.
 * @throws {UsageError} naming the argument that cannot be read, the input that is unknown, or the ones that are missing
 */
export async function readInputs(
  process: ProcessDescription,
  given: { readonly document?: string | undefined; readonly pairs: readonly string[] },
  stdin: AsyncIterable<Buffer>,
): Promise<Inputs> {
  const fromDocument = given.document === undefined ? {} : await readDocument(given.document, stdin)
  const fromPairs = await Promise.all(given.pairs.map((pair) => readPair(process, pair)))
  const inputs = { ...fromDocument, ...Object.fromEntries(fromPairs) }
  refuseMissing(process, inputs)
  return inputs
}

/** One JSON value: `@file.json`, `-` for stdin, or the JSON itself. @throws {UsageError} */
export async function readValue(given: string, stdin: AsyncIterable<Buffer>): Promise<Json> {
  const { text, source } = await textOf(given, stdin)
  return parseJson(text, source)
}

async function readDocument(document: string, stdin: AsyncIterable<Buffer>): Promise<Inputs> {
  const { text, source } = await textOf(document, stdin)
  const value = parseJson(text, source)
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Inputs // sound: an object that is no array
  throw new UsageError(`${source} must hold a JSON object with an input under each name, such as {"zoom": 3}.`)
}

async function textOf(document: string, stdin: AsyncIterable<Buffer>): Promise<{ text: string; source: string }> {
  if (document === '-') return { text: await readAll(stdin), source: 'The standard input' }
  if (document.startsWith('@')) return { text: await readTextFile(document.slice(1)), source: document.slice(1) }
  return { text: document, source: 'The value' }
}

async function readPair(process: ProcessDescription, pair: string): Promise<readonly [string, Json]> {
  const equals = pair.indexOf('=')
  if (equals < 1)
    throw new UsageError(`"${pair}" is no input. Write name=value, such as zoom=3, or use -i for a document.`)
  const id = pair.slice(0, equals)
  const text = pair.slice(equals + 1)
  refuseUnknown(process, id)
  if (text.startsWith('@')) return [id, await readJsonFile(text.slice(1))]
  return [id, takesText(process.inputs[id]?.schema) ? text : literal(text)]
}

/** JSON where it reads as such, else text: `3`, `true`, `[1,2]`, `{"a":1}`, and `hello`. */
function literal(text: string): Json {
  try {
    return JSON.parse(text) as Json // sound: JSON.parse gives nothing else
  } catch {
    return text
  }
}

function takesText(schema: Json | undefined): boolean {
  return schema !== null && typeof schema === 'object' && 'type' in schema && schema.type === 'string'
}

function refuseUnknown(process: ProcessDescription, id: string): void {
  const known = Object.keys(process.inputs)
  if (known.length === 0 || known.includes(id)) return
  throw new UsageError(`${process.id} has no input "${id}". Its inputs are: ${known.join(', ')}.`)
}

function refuseMissing(process: ProcessDescription, inputs: Inputs): void {
  const missing = Object.entries(process.inputs).flatMap(([id, { minOccurs }]) =>
    minOccurs > 0 && !(id in inputs) ? [id] : [],
  )
  if (missing.length === 0) return
  throw new UsageError(
    `${process.id} needs ${missing.join(', ')}. Give ${missing.length === 1 ? 'it' : 'them'} as ${missing.map((id) => `${id}=…`).join(' ')} or with -i; "headrace process ${process.id}" tells more.`,
  )
}
