import { inspect } from 'node:util'

/** What was thrown, in a form that passes between threads: structured clone would drop `code`, `retryable` and the name. */
export type PlainThrown = {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string | number
  readonly retryable?: boolean
  readonly cause?: PlainThrown
}

/** A chain of causes longer than this ends; it may also be a ring. */
const CAUSES_MAX = 8

export function toPlain(thrown: unknown, causesMax = CAUSES_MAX): PlainThrown {
  if (!(thrown instanceof Error))
    return { name: 'Error', message: typeof thrown === 'string' ? thrown : inspect(thrown) }
  const { code, retryable } = thrown as { code?: unknown; retryable?: unknown } // any error may carry them; checked below
  return {
    name: String(thrown.name),
    message: String(thrown.message),
    ...(typeof thrown.stack === 'string' && { stack: thrown.stack }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(typeof retryable === 'boolean' && { retryable }),
    ...(thrown.cause !== undefined && causesMax > 0 && { cause: toPlain(thrown.cause, causesMax - 1) }),
  }
}

/** An Error that says the same. It is no instance of the original's class; `name` and `code` tell what it was. */
export function toError({ message, cause, ...rest }: PlainThrown): Error {
  const error = cause ? new Error(message, { cause: toError(cause) }) : new Error(message)
  const stack = rest.stack ?? `${rest.name}: ${message}`
  return Object.assign(error, rest, { stack })
}
