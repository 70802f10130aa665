import { readFile } from 'node:fs/promises'
import type { Json } from '@headrace/wire'
import { UsageError } from '../errors.ts'

/** @throws {UsageError} naming the file, when it cannot be read or is not JSON */
export async function readJsonFile(path: string): Promise<Json> {
  return parseJson(await readTextFile(path), path)
}

export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`The file ${path} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
}

/** @param source what the text is, for the message */
export function parseJson(text: string, source: string): Json {
  try {
    return JSON.parse(text) as Json // sound: JSON.parse gives nothing else
  } catch (error) {
    throw new UsageError(`${source} is not JSON: ${(error as Error).message}.`, { cause: error })
  }
}
