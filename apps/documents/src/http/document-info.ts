import type { Engine, Job, JobFilter } from '@headrace/engine'
import { type Caller, hasScope } from '@headrace/server'
import type { DocumentInfo, DocumentList, DocumentListed, DocumentSummary } from '@headrace/wire'
import { READ_AGAIN } from '../process/again.ts'
import { PROCESS_DOCUMENT } from '../process/process-document.ts'
import { againInput, openingOf, pageStatesOf } from './known-pages.ts'

export type ListWish = {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly tag?: string | undefined
}

/** The documents that this caller may see, newest first. */
export async function listDocuments(engine: Engine, wish: ListWish, caller: Caller): Promise<DocumentList> {
  const { limit, cursor, tag } = wish
  const filter: JobFilter = {
    tasks: [PROCESS_DOCUMENT, READ_AGAIN],
    rootsOnly: true,
    ...(hasScope(caller, 'read-all') ? {} : { owner: caller.owner }),
    ...(tag !== undefined && { tag }),
  }
  const { jobs, next } = await engine.store.jobs(filter, { limit, ...(cursor !== undefined && { before: cursor }) })
  const documents = await Promise.all(jobs.map((job) => listedOf(engine, job)))
  return { documents, ...(next !== undefined && { next }) }
}

export async function documentInfoOf(engine: Engine, job: Job): Promise<DocumentInfo> {
  const opening = await openingOf(engine, job)
  const summary = job.state === 'succeeded' ? (await engine.outcome(job.id))?.result : undefined
  return {
    ...(await listedOf(engine, job)),
    ...(opening && { pageCount: opening.pageCount }),
    pages: await pageStatesOf(engine, job, opening),
    ...(summary !== undefined && { summary: summary as unknown as DocumentSummary }), // as assemble gives it
  }
}

async function listedOf(engine: Engine, job: Job): Promise<DocumentListed> {
  const { name, again } = await namesOf(engine, job)
  const { id, state, progress, tags } = job
  return {
    jobID: id,
    name,
    state,
    progress: state === 'succeeded' ? 1 : (progress?.fraction ?? 0),
    ...(progress?.message && state === 'running' && { message: progress.message }),
    ...('error' in job && { error: { code: job.error.code, message: job.error.message } }),
    created: new Date(job.createdAt).toISOString(),
    tags,
    ...(again && { again }),
  }
}

/**
 * Not from the document's own input, which may be the document itself, but from that of the job that opens it. Until there
 * is one it has no name.
 */
async function namesOf(engine: Engine, job: Job): Promise<{ readonly name: string; readonly again?: string }> {
  if (job.task === READ_AGAIN) {
    const { name, of } = await againInput(engine, job)
    return { name, again: of }
  }
  const { jobs } = await engine.store.jobs({ parentId: job.id, tasks: ['documents.open'] }, { limit: 1 })
  const input = jobs[0] && (await engine.input(jobs[0].id))
  return { name: (input as { name?: string } | undefined)?.name ?? 'document' }
}
