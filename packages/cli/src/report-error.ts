import { ProblemError } from '@headrace/client'
import { EXIT, type ExitCode } from './exit-code.ts'
import { printable } from './terminal/printable.ts'
import type { Terminal } from './terminal/terminal.ts'

/** One clear line on stderr, or one JSON object; the stack only for those who ask for it with HEADRACE_DEBUG. */
export function reportError(
  error: unknown,
  exitCode: ExitCode,
  to: { readonly terminal: Terminal; readonly env: NodeJS.ProcessEnv; readonly asJson: boolean },
): void {
  const { terminal, env, asJson } = to
  if (asJson) terminal.note(JSON.stringify({ error: describe(error, exitCode) }))
  else terminal.note(`${terminal.paintNote('red', 'headrace:')} ${printable(textOf(error))}${hintOf(exitCode)}`)
  if (env.HEADRACE_DEBUG) terminal.note(stackOf(error))
}

function describe(error: unknown, exitCode: ExitCode) {
  return {
    code: codeOf(error),
    message: textOf(error).replace(/^error: /, ''),
    exitCode,
    ...(error instanceof ProblemError ? { problem: error.problem } : {}),
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'unexpected'
}

function hintOf(exitCode: ExitCode): string {
  return exitCode === EXIT.auth ? ' Give a key with --key or HEADRACE_KEY; "headrace keys create" makes one.' : ''
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`
  return (error.stack ?? error.message) + cause
}
