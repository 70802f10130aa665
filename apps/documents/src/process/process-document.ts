import type { ArtifactStore } from '@headrace/artifacts'
import { type Flow, TaskFailedError, type Workflow, workflow } from '@headrace/engine'
import type { DocumentAttachment, DocumentSummary } from '@headrace/wire'
import type { OpenedAttachment } from '../page/work.ts'
import { DOCUMENTS_QUEUE, type DocumentTasks } from './document-tasks.ts'
import { eachInOrder } from './each-in-order.ts'
import { ProcessInput } from './process-input.ts'
import { OPENED, READ, readPages } from './read-pages.ts'

export const PROCESS_DOCUMENT = 'documents.process'
const ATTACHMENTS_AT_ONCE = 4

/** `depth`: how many e-mails it came in. */
export type DocumentRequest = ProcessInput & { readonly depth?: number }

/** Reads a document: what it is, then one job for each of its pages, then the whole. */
export function processDocument(
  artifacts: ArtifactStore,
  tasks: DocumentTasks,
  part: Workflow<DocumentRequest, DocumentSummary>,
): Workflow<DocumentRequest, DocumentSummary> {
  return workflow<DocumentRequest, DocumentSummary>({
    name: PROCESS_DOCUMENT,
    title: 'Read a document',
    description:
      'PDF, PNG, JPEG, TIFF, WebP, DOCX, e-mail and plain text: text, words with boxes, ruled tables, fields, language, page ' +
      'images, a searchable PDF and Markdown. Each page is a job of its own.',
    public: true,
    queue: DOCUMENTS_QUEUE,
    input: ProcessInput,
    run: (request, flow) => run(request, flow, { artifacts, tasks, part }),
  })
}

/** The same for what lies within a document: not offered over HTTP. */
export function partWorkflow(
  artifacts: ArtifactStore,
  tasks: DocumentTasks,
): Workflow<DocumentRequest, DocumentSummary> {
  const part: Workflow<DocumentRequest, DocumentSummary> = workflow<DocumentRequest, DocumentSummary>({
    name: 'documents.process-part',
    title: 'Read what lies within a document',
    queue: DOCUMENTS_QUEUE,
    run: (request, flow) => run(request, flow, { artifacts, tasks, part }),
  })
  return part
}

type Parts = {
  readonly artifacts: ArtifactStore
  readonly tasks: DocumentTasks
  readonly part: Workflow<DocumentRequest, DocumentSummary>
}

async function run(request: DocumentRequest, flow: Flow, parts: Parts): Promise<DocumentSummary> {
  const { tasks } = parts
  const { name, fields, languages, outputs, depth = 0 } = request
  const source = await storeSource(request, flow, parts.artifacts)
  const { attachments: packed, ...opened } = await flow.call(tasks.openDocument, { source, name, languages, depth })
  flow.progress(OPENED, 'opened')
  const { pages, failedPages } =
    'flat' in opened
      ? { pages: [opened.flat], failedPages: [] }
      : await readPages({ ...pagesWish(request, source, opened.kind), numbers: numbersTo(opened.pages) }, flow, tasks)
  const attachments = await readAttachments(packed, request, flow, parts)
  flow.progress(READ, 'putting it together')
  const { kind, mediaType, sizeBytes, metadata, warnings } = opened
  return flow.call(tasks.assemble, {
    source,
    name,
    opened: { kind, mediaType, sizeBytes, metadata, warnings },
    pages,
    failedPages,
    attachments,
    outputs,
    ...(fields && { fields }),
  })
}

function pagesWish(request: DocumentRequest, source: string, kind: DocumentSummary['kind']) {
  const { languages, ocr, imageDpi, outputs } = request
  return { source, kind, options: { languages, ocr, imageDpi, keepsImage: outputs.length > 0 } }
}

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

async function storeSource({ document }: DocumentRequest, flow: Flow, artifacts: ArtifactStore): Promise<string> {
  if ('artifact' in document) return document.artifact
  return flow.step('keep the document', async () => (await artifacts.put(Buffer.from(document.base64, 'base64'))).id)
}

/** Each attachment is a document of its own; one that cannot be read says why, and the letter is read all the same. */
async function readAttachments(
  packed: readonly OpenedAttachment[],
  request: DocumentRequest,
  flow: Flow,
  { part }: Parts,
): Promise<DocumentAttachment[]> {
  const read: DocumentAttachment[] = []
  const { fields: _, ...inherited } = request
  await eachInOrder([...packed.entries()], ATTACHMENTS_AT_ONCE, async ([index, attachment]) => {
    const { artifact, name } = attachment
    try {
      const inner = { ...inherited, document: { artifact }, name: name.slice(0, 255), depth: (request.depth ?? 0) + 1 }
      read[index] = { ...attachment, document: await flow.call(part, inner) }
    } catch (error) {
      if (!(error instanceof TaskFailedError)) throw error
      read[index] = { ...attachment, error: { code: error.error.code, message: error.error.message } }
    }
  })
  return read
}
