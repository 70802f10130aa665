import type { Job } from '@headrace/engine'
import { type AppContext, HttpProblem } from '@headrace/server'
import type { DocumentSummary } from '@headrace/wire'
import { READ_AGAIN } from '../process/again.ts'
import { PROCESS_DOCUMENT } from '../process/process-document.ts'
import type { Request } from './routes.ts'

const DOCUMENT_TASKS: readonly string[] = [PROCESS_DOCUMENT, READ_AGAIN, 'documents.process-part']

/** @throws {HttpProblem} 404 for a job that is none of a document's, or another owner's */
export async function documentJob(context: AppContext, request: Request): Promise<Job> {
  return requireDocument(await context.visibleJob(request, idOf(request)))
}

/** The same for who would change it. @throws {HttpProblem} 404 or 403 */
export async function changeableDocument(context: AppContext, request: Request): Promise<Job> {
  return requireDocument(await context.changeableJob(request, idOf(request)))
}

function idOf({ params }: Request): string {
  return (params as { id: string }).id // sound: the routes name it
}

function requireDocument(job: Job): Job {
  if (DOCUMENT_TASKS.includes(job.task)) return job
  throw new HttpProblem({
    status: 404,
    code: 'unknown_job',
    title: 'No such document',
    detail: `There is no document ${job.id} that you may see.`,
  })
}

/** @throws {HttpProblem} 409 before the end, 422 where it failed, 410 where it was cancelled */
export async function resultOf({ engine }: AppContext, job: Job): Promise<DocumentSummary> {
  switch (job.state) {
    case 'succeeded':
      return ((await engine.outcome(job.id))?.result ?? noResult(job)) as unknown as DocumentSummary // as assemble gives it
    case 'failed':
      throw new HttpProblem({
        status: 422,
        code: job.error.code,
        title: 'The document was not read',
        detail: job.error.message,
      })
    case 'cancelled':
      throw new HttpProblem({
        status: 410,
        code: 'job_cancelled',
        title: 'The document was cancelled',
        detail: job.error.message,
      })
    default:
      throw new HttpProblem({
        status: 409,
        code: 'job_not_ended',
        title: 'The result is not ready',
        detail: `The document ${job.id} is still being read. GET /elab_status/${job.id} says how far it is.`,
        headers: { 'retry-after': '1' },
      })
  }
}

export function noResult(job: Job): never {
  throw new HttpProblem({
    status: 404,
    code: 'unknown_job',
    title: 'No result',
    detail: `The result of ${job.id} is gone; its retention has passed.`,
  })
}
