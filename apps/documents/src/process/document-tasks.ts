import { availableParallelism } from 'node:os'
import type { FileCache } from '@headrace/artifacts'
import { type Executor, type Task, task, thread } from '@headrace/engine'
import type { DocumentSummary } from '@headrace/wire'
import type { AssembleInput } from '../assemble/assemble.ts'
import type { ThreadWork } from '../page/document-thread.ts'
import type { Opened, OpenInput, PageInput, ReadPage, Surroundings } from '../page/work.ts'

/** The queue of everything that reads documents: `headrace worker --queues documents=4` takes such jobs only. */
export const DOCUMENTS_QUEUE = 'documents'

/** What is wrong with a document is never retried (its errors say so); a thread that died is. */
const RETRY = { attempts: 3, backoff: 'exponential', delayMs: 500 } as const
/** Each holds an OCR engine, of some 200 MB. */
const THREADS_MAX = 8
const HEAP_MB_MAX = 1_024
const WARM_MS = 120_000
/** A document that is read again, because a page failed perhaps, has its other pages at once. */
const PAGE_KEPT_MS = 7 * 86_400_000
/** Beyond what a page may take, its wait for a thread included. */
const WAIT_MS = 480_000

export type DocumentTasks = {
  readonly openDocument: Task<OpenInput, Opened>
  readonly readPage: Task<PageInput, ReadPage>
  readonly assemble: Task<AssembleInput, DocumentSummary>
}

/** The tasks that read documents, in threads of their own. They are not offered over HTTP; the workflow made their input. */
export function documentTasks(around: Surroundings, cache: FileCache): DocumentTasks {
  const threads = thread({
    module: new URL('../page/document-thread.ts', import.meta.url),
    sizeMax: Math.min(THREADS_MAX, availableParallelism()),
    idleMs: WARM_MS,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  })
  const common = { queue: DOCUMENTS_QUEUE, retry: RETRY, timeoutMs: around.limits.pageMs + WAIT_MS, graceMs: 1_000 }
  return {
    openDocument: task<OpenInput, Opened>({
      ...common,
      name: 'documents.open',
      title: 'What a document is, and its pages',
      run: given<OpenInput>(threads, cache, (open) => ({ work: { ...around, open }, artifacts: [open.source] })),
    }),
    readPage: task<PageInput, ReadPage>({
      ...common,
      name: 'documents.read-page',
      title: 'A page of a document',
      cache: { ttlMs: PAGE_KEPT_MS, perOwner: true, dependencies: () => around.tessdataDirs },
      run: given<PageInput>(threads, cache, (page) => ({ work: { ...around, page }, artifacts: [page.source] })),
    }),
    assemble: task<AssembleInput, DocumentSummary>({
      ...common,
      name: 'documents.assemble',
      title: 'The whole of a document’s pages',
      run: given<AssembleInput>(threads, cache, (assemble) => ({
        work: { ...around, assemble },
        artifacts: [
          assemble.source,
          ...assemble.pages.flatMap(({ data, image }) => (image ? [data, image.artifact] : [data])),
        ],
      })),
    }),
  }
}

type DistributedOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
type Given = { readonly work: DistributedOmit<ThreadWork, 'paths'>; readonly artifacts: readonly string[] }

/** Brings the artifacts that a job reads to this machine, and tells the thread where they lie. */
function given<Input>({ kind, execute }: Executor, cache: FileCache, toGiven: (input: Input) => Given): Executor {
  return {
    kind,
    async execute(request) {
      const { work, artifacts } = toGiven(request.input as Input) // sound: see documentTasks
      using files = await cache.hold(artifacts)
      return await execute({ ...request, input: { ...work, paths: files.paths } })
    },
  }
}
