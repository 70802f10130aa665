import type { Problem } from '@headrace/wire'
import { ProblemError } from '../errors.ts'
import { retryAfterMs } from './retry-after.ts'

/** Reads an answer that is an error: an RFC 9457 problem, or whatever a proxy in between wrote instead. */
export async function readProblem(response: Response, url: string): Promise<ProblemError> {
  const text = await response.text().catch(() => '')
  return new ProblemError(parseProblem(text) ?? foreignProblem(response, url), retryAfterMs(response.headers))
}

function parseProblem(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isProblem(value) ? value : undefined
  } catch {
    return undefined // not JSON, so not ours: `foreignProblem` describes it
  }
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false
  const { title, status, code } = value as Record<string, unknown> // sound: an object has string keys
  return typeof title === 'string' && typeof status === 'number' && typeof code === 'string'
}

function foreignProblem(response: Response, url: string): Problem {
  return {
    type: 'about:blank',
    title: response.statusText || `HTTP ${response.status}`,
    status: response.status,
    detail: `${url} answered ${response.status} ${response.statusText}, not in Headrace's own words. Is that address Headrace's?`,
    code: `http_${response.status}`,
  }
}
