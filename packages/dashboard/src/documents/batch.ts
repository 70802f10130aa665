import type { DocumentListed } from '@headrace/wire'

/** One file on its way to the server, and the job that it became. */
export type FileUpload = {
  readonly key: number
  readonly batch: string
  readonly name: string
  readonly sizeBytes: number
} & (
  | { readonly state: 'queued' }
  | { readonly state: 'uploading'; readonly sentBytes: number }
  | { readonly state: 'submitted'; readonly jobID: string }
  | { readonly state: 'failed'; readonly message: string }
)

export type BatchCounts = {
  readonly all: number
  readonly uploading: number
  readonly reading: number
  readonly read: number
  readonly failed: number
  /** 0 to 1 over all: half of a document is its upload, half its reading. */
  readonly fraction: number
}

/** A batch as it stands: files that this page sends, and documents that the server has, each once. */
export function countBatch(uploads: readonly FileUpload[], documents: readonly DocumentListed[]): BatchCounts {
  const sent = new Set(uploads.flatMap((upload) => (upload.state === 'submitted' ? [upload.jobID] : [])))
  const left = uploads.filter((upload) => upload.state !== 'submitted')
  const known = new Set(documents.map(({ jobID }) => jobID))
  const shown = latestOf(documents)
  // Submitted a moment ago, and not in the list yet.
  const unseen = [...sent].filter((id) => !known.has(id)).length
  const failedUploads = left.filter(({ state }) => state === 'failed').length
  const ended = shown.filter(({ state }) => isEndedState(state))
  const read = ended.filter(({ state }) => state === 'succeeded').length
  const all = left.length + unseen + shown.length
  const done =
    left.reduce((sum, upload) => sum + uploadedShare(upload), 0) / 2 +
    unseen / 2 +
    shown.reduce((sum, { state, progress }) => sum + 0.5 + (isEndedState(state) ? 1 : progress) / 2, 0)
  return {
    all,
    uploading: left.length - failedUploads,
    reading: unseen + shown.length - ended.length,
    read,
    failed: failedUploads + ended.length - read,
    fraction: all === 0 ? 0 : done / all,
  }
}

/** Without those whose failed pages another one reads again. */
export function latestOf(documents: readonly DocumentListed[]): readonly DocumentListed[] {
  const repeated = new Set(documents.flatMap(({ again }) => again ?? []))
  return documents.filter(({ jobID }) => !repeated.has(jobID))
}

/** What could not be uploaded ends at that; it counts as done. */
function uploadedShare(upload: FileUpload): number {
  if (upload.state === 'failed') return 2
  return upload.state === 'uploading' && upload.sizeBytes > 0 ? upload.sentBytes / upload.sizeBytes : 0
}

export function isEndedState(state: DocumentListed['state']): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled'
}
