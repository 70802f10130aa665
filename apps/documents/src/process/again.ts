import { type JobId, type Workflow, workflow } from '@headrace/engine'
import type { DocumentSummary, FailedDocumentPage } from '@headrace/wire'
import type { Opened, ReadOptions, ReadPage } from '../page/work.ts'
import { DOCUMENTS_QUEUE, type DocumentTasks } from './document-tasks.ts'
import type { Output, ProcessInput } from './process-input.ts'
import { byNumber, OPENED, READ, readPages } from './read-pages.ts'

export const READ_AGAIN = 'documents.read-again'

/** A document whose pages were opened before: what it is, the pages that were read, and those that are to be read again. */
export type AgainInput = Omit<ReadOptions, 'keepsImage'> & {
  readonly outputs: readonly Output[]
  /** The document's job that had the pages fail. */
  readonly of: JobId
  readonly source: string
  readonly name: string
  readonly fields?: ProcessInput['fields']
  readonly opened: Omit<Opened, 'attachments' | 'flat' | 'pages'>
  readonly pages: readonly ReadPage[]
  /** That failed and stay as they are. */
  readonly failedPages: readonly FailedDocumentPage[]
  readonly numbers: readonly number[]
}

/** Reads the failed pages of a document once more, and makes the whole anew. Pages that were read are not read again. */
export function readAgain(tasks: Pick<DocumentTasks, 'readPage' | 'assemble'>): Workflow<AgainInput, DocumentSummary> {
  return workflow<AgainInput, DocumentSummary>({
    name: READ_AGAIN,
    title: 'Read a document’s failed pages again',
    queue: DOCUMENTS_QUEUE,
    run: async (input, flow) => {
      const { source, name, fields, opened, numbers, pages: recorded, languages, ocr, imageDpi, outputs } = input
      flow.progress(OPENED, 'opened before')
      const { pages, failedPages } = await readPages(
        {
          source,
          kind: opened.kind,
          options: { languages, ocr, imageDpi, keepsImage: outputs.length > 0 },
          numbers,
          recorded,
        },
        flow,
        tasks,
      )
      flow.progress(READ, 'putting it together')
      return flow.call(tasks.assemble, {
        source,
        name,
        opened,
        pages,
        failedPages: [...input.failedPages, ...failedPages].sort(byNumber),
        // Only e-mails have attachments, and their text is one page, which is read when they are opened.
        attachments: [],
        outputs,
        ...(fields && { fields }),
      })
    },
  })
}
