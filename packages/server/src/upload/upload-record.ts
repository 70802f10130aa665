import type { Json, Settings } from '@headrace/engine'

/** What is known of an upload besides its bytes. Kept in the store, so that every server of a cluster can tell of it. */
export type UploadRecord = {
  readonly id: string
  readonly owner: string
  /** Undefined while the client has not said it (`Upload-Defer-Length`). */
  readonly sizeBytes?: number
  /** As the client gave it; `filename` and `filetype` by convention. */
  readonly metadata: { readonly [key: string]: string | null }
  readonly createdAtMs: number
  /** Once all bytes are there and stored. */
  readonly stored?: { readonly artifact: string; readonly atMs: number }
}

const UPLOADS = 'uploads'

export async function readUpload(settings: Settings, id: string): Promise<UploadRecord | undefined> {
  return (await settings.get(UPLOADS, id)) as UploadRecord | undefined // sound: only this file writes here
}

export async function writeUpload(settings: Settings, record: UploadRecord): Promise<void> {
  await settings.put(UPLOADS, record.id, record as unknown as Json) // sound: an object of texts and numbers
}

export async function deleteUpload(settings: Settings, id: string): Promise<void> {
  await settings.delete(UPLOADS, id)
}

export async function listUploads(settings: Settings): Promise<readonly UploadRecord[]> {
  return (await settings.list(UPLOADS)).map(({ value }) => value as unknown as UploadRecord) // as above
}
