import { ProblemError } from '@headrace/client'
import type { DocumentAccepted, DocumentInfo, DocumentList, DocumentListed, DocumentPage } from '@headrace/wire'
import { getJson, postJson } from '../data/headrace.ts'

const LIST_SIZE = 50
const BATCH_PAGE_SIZE = 1_000
/** More than a person drops at once; a larger batch is looked at in the jobs. */
const BATCH_SIZE_MAX = 10_000

export function addressOf(id: string): string {
  return `/documents/${encodeURIComponent(id)}`
}

export const getDocument = (id: string, signal?: AbortSignal) => getJson<DocumentInfo>(addressOf(id), signal)
export const getPage = (id: string, number: number) => getJson<DocumentPage>(`${addressOf(id)}/pages/${number}`)
export const imageOf = (id: string, number: number) => `${addressOf(id)}/pages/${number}/image`
export const fileOf = (id: string, format: string) => `${addressOf(id)}/files/${format}`

/** The newest documents, or all of a batch. */
export async function getDocuments(
  batch: string | undefined,
  signal?: AbortSignal,
): Promise<readonly DocumentListed[]> {
  if (batch === undefined) return (await getJson<DocumentList>(`/documents?limit=${LIST_SIZE}`, signal)).documents
  const found: DocumentListed[] = []
  let cursor: string | undefined
  do {
    const query = new URLSearchParams({ tag: batch, limit: String(BATCH_PAGE_SIZE), ...(cursor && { cursor }) })
    const list: DocumentList = await getJson<DocumentList>(`/documents?${query}`, signal)
    found.push(...list.documents)
    cursor = list.next
  } while (cursor !== undefined && found.length < BATCH_SIZE_MAX)
  return found
}

/** Has these failed pages read again. @returns the job that does */
export async function readAgain(id: string, pages: readonly number[]): Promise<string> {
  return (await postJson<DocumentAccepted>(`${addressOf(id)}/retry`, { pages })).task_id
}

/** What somebody is to read of an error. */
export function messageOf(error: Error): string {
  return error instanceof ProblemError ? (error.problem.detail ?? error.message) : error.message
}
