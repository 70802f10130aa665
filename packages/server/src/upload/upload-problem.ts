import { HttpProblem } from '../problem/http-problem.ts'

export function unknownUpload(id: string): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: 'upload_unknown',
    title: 'No such upload',
    detail: `There is no upload ${id} that you may see. It may never have existed, or was removed.`,
  })
}

export function uploadTooLarge(sizeBytesMax: number): HttpProblem {
  return new HttpProblem({
    status: 413,
    code: 'upload_too_large',
    title: 'The upload is too large',
    detail: `At most ${sizeBytesMax} bytes are taken in one upload here.`,
  })
}

export function uploadDiskFull(options?: { readonly cause: unknown }): HttpProblem {
  return new HttpProblem(
    {
      status: 507,
      code: 'upload_disk_full',
      title: 'There is no room for the upload',
      detail: 'The disk of the server is full. What has arrived is kept; resume once there is room again.',
      headers: { 'retry-after': '60' },
    },
    options,
  )
}

export function uploadExpired(): HttpProblem {
  return new HttpProblem({
    status: 410,
    code: 'upload_expired',
    title: 'The upload has expired',
    detail: 'Its bytes were removed. Begin a new upload.',
  })
}

/** What the library throws: an object of a status and a text, no error. */
type TusFault = { readonly status_code: number; readonly body: string }

/** How each of tus's own refusals reads as a problem; `undefined` for what is no refusal of its. */
export function problemOfTusFault(fault: unknown, upload: { readonly id: string; readonly sizeBytesMax: number }) {
  if (fault instanceof HttpProblem) return fault
  const { status_code: status, body } = fault as Partial<TusFault>
  if (status === undefined || body === undefined) return undefined
  return problemOfTusStatus(status, body.trim(), upload)
}

export function problemOfTusStatus(
  status: number,
  text: string,
  upload: { readonly id: string; readonly sizeBytesMax: number },
): HttpProblem {
  const say = (code: string, title: string, detail: string, as = status) =>
    new HttpProblem({ status: as, code, title, detail })
  switch (status) {
    case 404:
      return unknownUpload(upload.id)
    case 409:
      return say(
        'upload_offset_conflict',
        'The offset is another',
        'Upload-Offset is not how much has arrived. HEAD on the upload tells it; go on from there.',
      )
    case 410:
      return uploadExpired()
    case 413:
      if (text.startsWith('Maximum')) return uploadTooLarge(upload.sizeBytesMax)
      return say(
        'upload_too_large',
        'More than was announced',
        'The request has more bytes than its Upload-Length leaves.',
      )
    case 412:
      return say('request_invalid', 'Another version of tus', 'Send Tus-Resumable: 1.0.0.')
    case 500:
      // Its one 500 on purpose: another request holds the upload and did not let go of it.
      return say('upload_busy', 'The upload is busy', 'Another request still writes to it. Try again in a moment.', 423)
    case 501:
      return say('request_invalid', 'Not supported', text, 400)
    default:
      return say('request_invalid', 'The upload is invalid', text)
  }
}

/** What an artifact store said no to while a complete upload was moved to it; known by its code alone. */
export function problemOfStorage(error: unknown, sizeBytesMax: number): unknown {
  switch ((error as { readonly code?: unknown } | undefined)?.code) {
    case 'artifact_store_full':
      return uploadDiskFull({ cause: error })
    case 'artifact_too_large':
      return uploadTooLarge(sizeBytesMax)
    case 'artifact_store_unavailable':
      return new HttpProblem(
        {
          status: 503,
          code: 'artifact_store_unavailable',
          title: 'The artifact store does not answer',
          detail:
            'What has arrived is kept, but could not be stored as an artifact. Ask for the upload again in a moment.',
          headers: { 'retry-after': '10' },
        },
        { cause: error },
      )
    default:
      return error
  }
}
