import type { DocumentAccepted } from '@headrace/wire'
import type { Http } from './http/http.ts'
import { createJob, type Job } from './job/job.ts'

/** Documents that are read by jobs. */
export interface Documents {
  /**
   * Reads the pages of an ended document once more that failed, or these of them, and no others. To ask twice for the same
   * gives the same job.
   * @returns the job of the document that is made of them and of the pages that were read before
   * @throws {ProblemError} `job_not_ended`, `page_not_failed`, `job_not_found`
   */
  retry(id: string, options?: { readonly pages?: readonly number[] | undefined }): Promise<Job>
}

export function createDocuments(http: Http): Documents {
  return {
    async retry(id, { pages } = {}) {
      const { task_id } = await http.json<DocumentAccepted>({
        method: 'POST',
        path: `/documents/${encodeURIComponent(id)}/retry`,
        body: pages === undefined ? {} : { pages },
        isRepeatable: true,
      })
      return createJob(http, task_id)
    },
  }
}
