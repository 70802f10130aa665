import { type Flow, TaskFailedError } from '@headrace/engine'
import type { FailedDocumentPage } from '@headrace/wire'
import type { PageInput, ReadPage } from '../page/work.ts'
import type { DocumentTasks } from './document-tasks.ts'
import { eachInOrder } from './each-in-order.ts'

/** Each page's job carries it with the page's number. */
export const READ_PAGE_TAG = 'page-'

/** So many of a document's pages are in the queue at once, so that another one's need not wait for all of them. */
const PAGES_AT_ONCE = 16
/** Of the whole: opening, and the pages; what comes after is brief. */
export const OPENED = 0.03
export const READ = 0.97

export type PagesInput = Omit<PageInput, 'page'> & {
  /** The pages to read, from 1. */
  readonly numbers: readonly number[]
  /** Those that were read before. */
  readonly recorded?: readonly ReadPage[]
}

export type PagesRead = { readonly pages: readonly ReadPage[]; readonly failedPages: readonly FailedDocumentPage[] }

/** A page that fails leaves the others as they are; where every page fails, so does the document, as the first one did. */
export async function readPages(
  { numbers, recorded = [], ...input }: PagesInput,
  flow: Flow,
  { readPage }: Pick<DocumentTasks, 'readPage'>,
): Promise<PagesRead> {
  const pages: ReadPage[] = [...recorded]
  const failedPages: FailedDocumentPage[] = []
  let firstError: TaskFailedError | undefined
  let done = 0
  await eachInOrder(numbers, PAGES_AT_ONCE, async (page) => {
    try {
      pages.push(await flow.call(readPage, { ...input, page }, { tags: [`${READ_PAGE_TAG}${page}`] }))
    } catch (error) {
      if (!(error instanceof TaskFailedError)) throw error
      if (page === numbers[0] || firstError === undefined) firstError = error
      failedPages.push({ number: page, code: error.error.code, message: error.error.message })
    }
    flow.progress(
      OPENED + (READ - OPENED) * (++done / numbers.length),
      `read ${done} of ${numbers.length} ${numbers.length === 1 ? 'page' : 'pages'}`,
    )
  })
  if (pages.length === 0 && firstError !== undefined) throw firstError
  for (const { number, message } of failedPages) flow.log('warn', `Page ${number} was not read: ${message}`)
  return { pages: pages.sort(byNumber), failedPages: failedPages.sort(byNumber) }
}

export function byNumber(a: { readonly number: number }, b: { readonly number: number }): number {
  return a.number - b.number
}
