import { type Engine, isEnded, type Job } from '@headrace/engine'
import type { DocumentPageState } from '@headrace/wire'
import type { Opened, OpenInput, ReadPage } from '../page/work.ts'
import { type AgainInput, READ_AGAIN } from '../process/again.ts'
import { READ_PAGE_TAG } from '../process/read-pages.ts'

/** More than a document has pages. */
const CHILDREN_MAX = 10_000

/** What is known of how a document was opened; undefined until it was. */
export type KnownOpening = Pick<AgainInput, 'source' | 'opened'> & {
  readonly pageCount: number
  /** The one page of what is but text. */
  readonly flat?: ReadPage
}

export async function openingOf(engine: Engine, job: Job): Promise<KnownOpening | undefined> {
  if (job.task === READ_AGAIN) {
    const { source, opened, pages, failedPages, numbers } = await againInput(engine, job)
    return { source, opened, pageCount: pages.length + failedPages.length + numbers.length }
  }
  const [child] = await childrenOf(engine, job, { tasks: ['documents.open'] })
  if (child?.state !== 'succeeded') return undefined
  const opened = (await engine.outcome(child.id))?.result as unknown as Opened | undefined // as openDocument gives it
  const input = (await engine.input(child.id)) as unknown as OpenInput // as the workflow made it
  if (opened === undefined) return undefined
  const { kind, mediaType, sizeBytes, metadata, warnings } = opened
  return {
    source: input.source,
    opened: { kind, mediaType, sizeBytes, metadata, warnings },
    ...('flat' in opened ? { pageCount: 1, flat: opened.flat } : { pageCount: opened.pages }),
  }
}

/** Each page that was asked for, in the order of their numbers. */
export async function pageStatesOf(
  engine: Engine,
  job: Job,
  opening: KnownOpening | undefined,
): Promise<DocumentPageState[]> {
  const states = (await childrenOf(engine, job, { tasks: ['documents.read-page'] })).map(toPageState)
  if (opening?.flat) states.push({ number: 1, state: 'succeeded' })
  if (job.task === READ_AGAIN) {
    const { pages, failedPages } = await againInput(engine, job)
    states.push(...pages.map(({ number }) => ({ number, state: 'succeeded' as const })))
    states.push(
      ...failedPages.map(({ number, code, message }) => ({
        number,
        state: 'failed' as const,
        error: { code, message },
      })),
    )
  }
  return states.sort((a, b) => a.number - b.number)
}

/** What was read of one page; undefined where it was not, or not yet. */
export async function readPageOf(engine: Engine, job: Job, number: number): Promise<ReadPage | undefined> {
  const [child] = await childrenOf(engine, job, { tag: `${READ_PAGE_TAG}${number}`, limit: 1 })
  if (child) return resultOfPage(engine, child)
  if (job.task === READ_AGAIN) return (await againInput(engine, job)).pages.find((page) => page.number === number)
  return number === 1 ? (await openingOf(engine, job))?.flat : undefined
}

/** All that were read, in the order of their numbers. */
export async function readPagesOf(engine: Engine, job: Job): Promise<ReadPage[]> {
  const children = await childrenOf(engine, job, { tasks: ['documents.read-page'] })
  const own = await Promise.all(children.map((child) => resultOfPage(engine, child)))
  const recorded = job.task === READ_AGAIN ? (await againInput(engine, job)).pages : []
  return [...recorded, ...own.filter((page) => page !== undefined)].sort((a, b) => a.number - b.number)
}

export async function againInput(engine: Engine, job: Job): Promise<AgainInput> {
  return (await engine.input(job.id)) as unknown as AgainInput // only the retry route submits that workflow
}

async function resultOfPage(engine: Engine, child: Job): Promise<ReadPage | undefined> {
  if (child.state !== 'succeeded') return undefined
  return (await engine.outcome(child.id))?.result as unknown as ReadPage | undefined // as readPage gives it
}

async function childrenOf(
  { store }: Engine,
  { id }: Job,
  { limit = CHILDREN_MAX, ...filter }: { tasks?: readonly string[]; tag?: string; limit?: number },
): Promise<readonly Job[]> {
  return (await store.jobs({ ...filter, parentId: id }, { limit })).jobs
}

function toPageState(child: Job): DocumentPageState {
  const tag = child.tags.find((tag) => tag.startsWith(READ_PAGE_TAG)) ?? ''
  const error = isEnded(child.state) && 'error' in child ? child.error : undefined
  return {
    number: Number(tag.slice(READ_PAGE_TAG.length)),
    state: child.state,
    jobID: child.id,
    ...(error && { error: { code: error.code, message: error.message } }),
  }
}
