import type { Job, JobEvent } from '@headrace/engine'

/** What a document came to: its summary, or the code of its error. */
export type Ending = { readonly name: string; readonly result: string }

export type Finding = { readonly rule: string; readonly what: string }

export type PageCounts = {
  readonly pages: number
  /** Attempts at a page whose worker was killed under it. */
  readonly repeatedPages: number
  readonly lapsedJobs: number
}

/** Every document as it was without a disturbance. */
export function compareEndings(disturbed: readonly Ending[], undisturbed: readonly Ending[]): Finding[] {
  const expected = new Map(undisturbed.map(({ name, result }) => [name, result]))
  const different = disturbed.filter(({ name, result }) => expected.get(name) !== result)
  const missing = undisturbed.length - disturbed.length
  return [
    ...different.map(({ name, result }) => ({
      rule: 'same-result',
      what: `${name} is otherwise than in peace: ${difference(result, expected.get(name) ?? 'nothing')}`,
    })),
    ...(missing === 0 ? [] : [{ rule: 'nothing-lost', what: `${missing} documents are missing` }]),
  ]
}

/** Where two texts part, with a little of what stands around. */
function difference(one: string, other: string): string {
  let at = 0
  while (at < one.length && one[at] === other[at]) at++
  const around = (text: string) => text.slice(Math.max(0, at - 60), at + 120)
  return `…${around(one)}… and not …${around(other)}…`
}

/**
 * Each page of a document is one job, which ends once; and it began again only where its worker was lost.
 * @param history every job of the store, and the events of each
 */
export function checkPages(jobs: readonly Job[], events: readonly JobEvent[]): Finding[] {
  const told = Map.groupBy(events, ({ jobId }) => jobId)
  const count = (job: Job, kind: JobEvent['kind']) => (told.get(job.id) ?? []).filter((one) => one.kind === kind).length
  const findings: Finding[] = []
  for (const [page, same] of Map.groupBy(pagesOf(jobs), ({ parentId, tags }) => `${parentId} ${tags.join()}`)) {
    if (same.length > 1) findings.push({ rule: 'page-once', what: `the page ${page} was given to ${same.length} jobs` })
  }
  for (const job of jobs) {
    const [started, ended, lost] = [
      count(job, 'started'),
      count(job, 'ended'),
      count(job, 'lapsed') + count(job, 'retried'),
    ]
    if (ended !== 1) findings.push({ rule: 'one-end', what: `${job.task} ${job.id} ended ${ended} times` })
    if (job.kind === 'task' && started > 1 + lost)
      findings.push({
        rule: 'repeated-alone',
        what: `${job.task} ${job.id} began ${started} times, and was lost ${lost} times`,
      })
  }
  return findings
}

export function countPages(jobs: readonly Job[], events: readonly JobEvent[]): PageCounts {
  const lapsed = new Set(events.filter(({ kind }) => kind === 'lapsed').map(({ jobId }) => jobId))
  const pages = pagesOf(jobs)
  return {
    pages: pages.length,
    repeatedPages: pages.filter(({ id }) => lapsed.has(id)).length,
    lapsedJobs: lapsed.size,
  }
}

function pagesOf(jobs: readonly Job[]): Job[] {
  return jobs.filter(({ task }) => task === 'documents.read-page')
}
