import type { Job, Store } from '@headrace/engine'
import { DOCUMENTS_QUEUE } from '../process/document-tasks.ts'

/** The words of the source system, which are Celery's. */
export type ElabStatus = 'PENDING' | 'STARTED' | 'SUCCESS' | 'FAILED'

/** The body of GET /elab_status/{id}. */
export type ElabStatusAnswer = {
  readonly task_id: string
  readonly status: ElabStatus
  /** 0 to 1. */
  readonly progress: number
  readonly message?: string
  /** While it is pending: 1 is next. Counted to {@link AHEAD_MAX}. */
  readonly queue_position?: number
  readonly error?: { readonly code: string; readonly message: string }
}

const AHEAD_MAX = 1_000

/** A document is pending until a worker has begun with it: the job itself is at once awake, and waits for its parts. */
export async function elabStatusOf(job: Job, store: Store): Promise<ElabStatusAnswer> {
  const answer = {
    task_id: job.id,
    progress: job.progress?.fraction ?? 0,
    ...(job.progress?.message && { message: job.progress.message }),
  }
  switch (job.state) {
    case 'succeeded':
      return { ...answer, status: 'SUCCESS', progress: 1 }
    case 'failed':
    case 'cancelled':
      return { ...answer, status: 'FAILED', error: { code: job.error.code, message: job.error.message } }
    default: {
      const first = await firstWaiting(job, store)
      if (first === undefined) return { ...answer, status: 'STARTED' }
      return { ...answer, status: 'PENDING', queue_position: (await countAhead(first, store)) + 1 }
    }
  }
}

/** The one job of a document that has not begun, if that is all there is of it. */
async function firstWaiting(job: Job, store: Store): Promise<Job | undefined> {
  if (job.state === 'waiting') return job
  const [child, ...more] = (await store.tree(job.id, 3)).filter(({ id }) => id !== job.id)
  return child?.state === 'waiting' && child.attempt === 0 && more.length === 0 ? child : undefined
}

async function countAhead({ id, createdAt }: Job, store: Store): Promise<number> {
  const { jobs } = await store.jobs(
    { queues: [DOCUMENTS_QUEUE], states: ['waiting'], createdTo: createdAt },
    { limit: AHEAD_MAX },
  )
  return jobs.filter((job) => job.id !== id && job.createdAt <= createdAt).length
}
