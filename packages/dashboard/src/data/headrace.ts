import { createClient, ProblemError, UnreachableError } from '@headrace/client'
import type { JobList, JobTree, Json, PageList, Problem, RetryRequest } from '@headrace/wire'

/**
 * The server that these pages came from; its session cookie says who asks. Somebody sits before a page: a request that
 * fails is said after 4 s, and a lost connection is tried at least every 5 s, a sixth of what programs wait at most.
 */
export const headrace = createClient({ baseUrl: '', retryForMs: 4_000, random: () => Math.random() / 6 })

/**
 * For the few addresses that `@headrace/client` has no word for: GET, and JSON back.
 * @throws {ProblemError} what the server answered instead; {UnreachableError} when nothing did
 */
export function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return askJson<T>(path, { headers: { accept: 'application/json' }, signal: signal ?? null })
}

/** The same for POST, once: what is sent must not be sent again unless the server knows it again. */
export function postJson<T>(path: string, body: Json): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' }
  return askJson<T>(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function askJson<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(path, init).catch((cause) => {
    init.signal?.throwIfAborted()
    throw new UnreachableError(path, 'the network gave no answer', { cause })
  })
  if (!response.ok) throw new ProblemError(await problemOf(response))
  return (await response.json()) as T // Sound: the server keeps to @headrace/wire.
}

async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => undefined)
  if (body !== null && typeof body === 'object' && 'code' in body && 'title' in body) return body as Problem
  return {
    type: 'about:blank',
    title: `${response.url} answered ${response.status} ${response.statusText}.`,
    status: response.status,
    code: 'http_error',
  }
}

/** Newest first. `page` is a query without its limit, or the whole address of a next page. */
export function listJobs(page: URLSearchParams | string, limit: number, signal?: AbortSignal): Promise<JobList> {
  if (typeof page === 'string') return getJson<JobList>(page, signal)
  const query = new URLSearchParams(page)
  query.set('limit', String(limit))
  return getJson<JobList>(`/jobs?${query}`, signal)
}

/** The address of the page after this one, on our own host whatever a proxy made the server believe of its name. */
export function nextPage(list: JobList): string | undefined {
  const link = list.links.find((one) => one.rel === 'next')
  if (!link) return undefined
  const url = new URL(link.href, location.href)
  return `${url.pathname}${url.search}`
}

/** A job and its descendants, oldest first; of a tree beyond the server's own limit, its oldest. */
export function getTree(id: string): Promise<JobTree> {
  return getJson<JobTree>(`/jobs/${encodeURIComponent(id)}/tree?limit=${TREE_SIZE_MAX}`)
}

const TREE_SIZE_MAX = 10_000

export const cancelJob = (id: string) => headrace.job(id).cancel()
export const retryJob = (id: string, request: RetryRequest = {}) => headrace.job(id).retry(request)
export const getProcesses = async () => ({ processes: await headrace.processes() })
export const getQueues = async () => ({ queues: await headrace.queues() })
export const getPages = (signal: AbortSignal) => getJson<PageList>('/pages', signal)
export const getSession = () => headrace.session()
export const getSampleArea = () => getJson<Json>('/api/watershed/sample-area')
