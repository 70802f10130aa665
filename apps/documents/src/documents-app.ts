import { join } from 'node:path'
import { type ArtifactStore, FileCache } from '@headrace/artifacts'
import { type App, defineApp } from '@headrace/server'
import { documentRoutes } from './http/document-routes.ts'
import { elabRoutes } from './http/elab-routes.ts'
import { type DocumentLimits, defaultLimits } from './limits.ts'
import { readAgain } from './process/again.ts'
import { documentTasks } from './process/document-tasks.ts'
import { partWorkflow, processDocument } from './process/process-document.ts'

export type DocumentsOptions = {
  readonly artifacts: ArtifactStore
  /** Where artifacts that are being read lie on this machine; what is in it can be made again. */
  readonly cacheDir: string
  /** Folders of `<language>.traineddata` files that go before those that come by npm, as `findTessdata` gives them. */
  readonly tessdataDirs?: readonly string[]
  /** What is left out is as in `defaultLimits`. */
  readonly limits?: Partial<DocumentLimits>
}

/**
 * Documents: upload one, get a task id at once, follow its status, collect the result; as the process `documents.process`,
 * too.
 * @example
 * const app = documentsApp({ artifacts, cacheDir: '/var/cache/headrace/documents' })
 * const engine = createEngine({ store, artifacts, tasks: [...app.tasks] })
 */
export function documentsApp({ artifacts, cacheDir, tessdataDirs = [], ...options }: DocumentsOptions): App {
  const limits = { ...defaultLimits, ...options.limits }
  const cache = new FileCache(artifacts, join(cacheDir, 'files'))
  const tasks = documentTasks({ limits, cacheDir, tessdataDirs }, cache)
  const part = partWorkflow(artifacts, tasks)
  const again = readAgain(tasks)
  return defineApp({
    name: 'documents',
    tasks: [processDocument(artifacts, tasks, part), part, again, ...Object.values(tasks)],
    async routes(fastify, context) {
      await elabRoutes(fastify, context, { artifacts, limits })
      documentRoutes(fastify, context, { artifacts, again })
    },
    pages: [{ id: 'documents', title: 'Documents', path: '/app/documents' }],
  })
}
