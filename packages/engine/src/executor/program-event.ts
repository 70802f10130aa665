import type { LogLevel } from './execution.ts'

/** One line of JSON that a program writes to HEADRACE_EVENTS_FD. */
export type ProgramEvent =
  | { readonly type: 'progress'; readonly fraction: number; readonly message?: string }
  | { readonly type: 'metric'; readonly name: string; readonly step: number; readonly value: number }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }
  | { readonly type: 'artifact'; readonly name: string; readonly path: string; readonly mediaType?: string }
  | { readonly type: 'result'; readonly value: unknown }
  | { readonly type: 'error'; readonly message: string; readonly code?: string; readonly retryable?: boolean }

export type InvalidLine = { readonly type: 'invalid'; readonly why: string }

/** Level names of Python's logging are taken too: programs pass on what their library calls it. */
const LEVELS: ReadonlyMap<unknown, LogLevel> = new Map([
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['warning', 'warn'],
  ['error', 'error'],
  ['critical', 'error'],
])

/**
 * Reads one line. Fields that are not known are ignored, so that a newer program can talk to an older worker.
 * @example parseProgramEvent('{"type":"progress","fraction":0.4}') // { type: 'progress', fraction: 0.4 }
 */
export function parseProgramEvent(line: string): ProgramEvent | InvalidLine {
  const fields = parseObject(line)
  if (!fields) return invalid('it is not a JSON object')
  switch (fields.type) {
    case 'progress':
      return parseProgress(fields)
    case 'metric':
      return parseMetric(fields)
    case 'log':
      return parseLog(fields)
    case 'artifact':
      return parseArtifact(fields)
    case 'result':
      return { type: 'result', value: fields.value ?? null }
    case 'error':
      return parseError(fields)
    default:
      return invalid('its type is none of progress, metric, log, artifact, result, error')
  }
}

type Fields = Readonly<Record<string, unknown>>

function parseProgress({ fraction, message }: Fields): ProgramEvent | InvalidLine {
  if (typeof fraction !== 'number' || fraction < 0 || fraction > 1)
    return invalid('fraction is not a number from 0 to 1')
  return { type: 'progress', fraction, ...(typeof message === 'string' && { message }) }
}

function parseMetric({ name, step, value }: Fields): ProgramEvent | InvalidLine {
  if (typeof name !== 'string') return invalid('name is not a string')
  if (typeof step !== 'number' || typeof value !== 'number') return invalid('step and value are not both numbers')
  return { type: 'metric', name, step, value }
}

function parseLog({ level = 'info', message }: Fields): ProgramEvent | InvalidLine {
  const known = LEVELS.get(typeof level === 'string' ? level.toLowerCase() : level)
  if (!known) return invalid('level is none of debug, info, warn, error')
  if (typeof message !== 'string') return invalid('message is not a string')
  return { type: 'log', level: known, message }
}

function parseArtifact({ name, path, mediaType }: Fields): ProgramEvent | InvalidLine {
  if (typeof name !== 'string' || typeof path !== 'string') return invalid('name and path are not both strings')
  return { type: 'artifact', name, path, ...(typeof mediaType === 'string' && { mediaType }) }
}

function parseError({ message, code, retryable }: Fields): ProgramEvent | InvalidLine {
  if (typeof message !== 'string') return invalid('message is not a string')
  return {
    type: 'error',
    message,
    ...(typeof code === 'string' && { code }),
    ...(typeof retryable === 'boolean' && { retryable }),
  }
}

function parseObject(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line)
    // Sound: a JSON object's fields are all unknown to us.
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
  } catch {
    return undefined // what is wrong with it is said by the caller, who shows the line itself
  }
}

function invalid(why: string): InvalidLine {
  return { type: 'invalid', why }
}
