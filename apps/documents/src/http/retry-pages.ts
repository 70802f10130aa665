import { hash } from 'node:crypto'
import type { Engine, Job, Submitted, Workflow } from '@headrace/engine'
import { HttpProblem } from '@headrace/server'
import type { DocumentPageState, DocumentSummary } from '@headrace/wire'
import { z } from 'zod'
import { type AgainInput, READ_AGAIN } from '../process/again.ts'
import { OUTPUTS, ProcessInput } from '../process/process-input.ts'
import { againInput, openingOf, pageStatesOf, readPagesOf } from './known-pages.ts'

/** The body of POST /documents/{id}/retry; without `pages`, all that failed. */
export const RetryBody = z.strictObject({ pages: z.array(z.int().min(1)).min(1).max(10_000).optional() }).nullish()

type Retry = {
  readonly job: Job
  readonly pages: readonly number[] | undefined
  readonly owner: string
  readonly again: Workflow<AgainInput, DocumentSummary>
}

/**
 * A new job that reads these failed pages of an ended document once more. To ask twice for the same gives the same job.
 * @throws {HttpProblem} 409 where the document has not ended, or has no such failed pages
 */
export async function retryPages(engine: Engine, { job, pages, owner, again }: Retry): Promise<Submitted> {
  if (job.state === 'waiting' || job.state === 'running') throw notEnded(job)
  const opening = await openingOf(engine, job)
  const failed = (await pageStatesOf(engine, job, opening)).filter(({ state }) => state === 'failed')
  const numbers = pages === undefined ? failed.map(({ number }) => number) : [...new Set(pages)].sort((a, b) => a - b)
  const other = numbers.find((number) => !failed.some((page) => page.number === number))
  if (opening === undefined || numbers.length === 0 || other !== undefined) throw noFailedPages(job, other, failed)
  const { source, opened } = opening
  const input: AgainInput = {
    ...(await requestOf(engine, job)),
    of: job.id,
    source,
    opened,
    pages: await readPagesOf(engine, job),
    failedPages: failed.filter(({ number }) => !numbers.includes(number)).map(toFailedPage),
    numbers,
  }
  return engine.submit(again, input, {
    owner: job.owner ?? owner,
    tags: job.tags,
    idempotencyKey: `again-${job.id}-${hash('sha256', numbers.join())}`,
  })
}

async function requestOf(engine: Engine, job: Job) {
  const {
    name,
    languages,
    ocr,
    imageDpi,
    outputs = OUTPUTS,
    fields,
  } = job.task === READ_AGAIN ? await againInput(engine, job) : ProcessInput.parse(await engine.input(job.id)) // stored as it was sent, without what is left out
  return { name, languages, ocr, imageDpi, outputs, ...(fields && { fields }) }
}

function toFailedPage({ number, error }: DocumentPageState) {
  return { number, code: error?.code ?? 'task_threw', message: error?.message ?? '' }
}

function notEnded(job: Job): HttpProblem {
  return new HttpProblem({
    status: 409,
    code: 'job_not_ended',
    title: 'The document is still being read',
    detail: `The document ${job.id} is still being read. Its failed pages can be read again once it has ended.`,
    headers: { 'retry-after': '1' },
  })
}

function noFailedPages(job: Job, page: number | undefined, failed: readonly DocumentPageState[]): HttpProblem {
  const what = failed.map(({ number }) => number).join(', ')
  const detail =
    failed.length === 0
      ? `No page of the document ${job.id} failed. POST /jobs/${job.id}/retry reads the whole document again.`
      : `Page ${page} of the document ${job.id} did not fail. Those that did: ${what}.`
  return new HttpProblem({ status: 409, code: 'page_not_failed', title: 'No such failed page', detail })
}
