import type { DocumentListed } from '@headrace/wire'
import { useEffect, useMemo } from 'react'
import { Link } from 'wouter'
import type { Loadable } from '../data/loadable.ts'
import { sizeText } from '../look/size-text.ts'
import { announce } from '../shell/announcer.tsx'
import { FailedNote } from '../shell/page.tsx'
import { Section } from '../shell/section.tsx'
import { Bar } from './bar.tsx'
import { countBatch, type FileUpload, isEndedState, latestOf } from './batch.ts'
import { DocumentRow } from './document-row.tsx'
import { sendAgain } from './uploads.ts'

/** All that was chosen at once: one bar over all, those that failed first, then each by itself. */
export function BatchView(props: {
  readonly batch: string
  readonly uploads: readonly FileUpload[]
  readonly loadable: Loadable<readonly DocumentListed[]>
  readonly onReload: () => void
  readonly onLeave: () => void
}) {
  const { uploads, loadable, onReload } = props
  const documents = loadable.state === 'ready' ? loadable.value : NONE
  const counts = useMemo(() => countBatch(uploads, documents), [uploads, documents])
  const { all, uploading, reading, read, failed, fraction } = counts
  const names = useMemo(
    () => new Map(uploads.flatMap((one) => (one.state === 'submitted' ? [[one.jobID, one.name] as const] : []))),
    [uploads],
  )
  const isOver = all > 0 && uploading === 0 && reading === 0
  useEffect(() => {
    if (isOver) announce(`The batch is over: ${read} read, ${failed} failed.`)
  }, [isOver, read, failed])
  // Submitted by this page and not in the list yet.
  const isListShort = names.keys().some((id) => !documents.some(({ jobID }) => jobID === id))
  useEffect(() => {
    if (isListShort) onReload()
  }, [isListShort, onReload])

  // In the order in which they were sent.
  const shown = latestOf(documents).toReversed()
  const failedDocuments = shown.filter(({ state }) => isEndedState(state) && state !== 'succeeded')
  const failedUploads = uploads.filter((upload) => upload.state === 'failed')
  const left = uploads.filter((upload) => upload.state === 'uploading' || upload.state === 'queued')
  return (
    <>
      <Section
        title={`Batch of ${all}`}
        aside={
          <button type="button" className="quiet small" onClick={props.onLeave}>
            All documents
          </button>
        }
      >
        {loadable.state === 'failed' ? (
          <FailedNote what="the documents of this batch" error={loadable.error} onRetry={onReload} />
        ) : null}
        <Bar
          label="The whole batch"
          fraction={fraction}
          state={isOver ? (failed > 0 ? 'failed' : 'succeeded') : 'running'}
        />
        <p className="batch-counts">
          <span>{read} read</span>
          <span>{failed} failed</span>
          <span>{reading} being read</span>
          <span>{uploading} to be sent</span>
        </p>
        {loadable.state === 'ready' && all === 0 ? (
          <p className="muted">
            Nothing of this batch is here. <Link href="/documents">Look at all documents</Link>.
          </p>
        ) : null}
      </Section>
      {failed > 0 ? (
        <Section title={`Failed (${failed})`}>
          <ul className="document-list">
            {failedUploads.map((upload) => (
              <UploadRow key={upload.key} upload={upload} />
            ))}
            {failedDocuments.map((document) => (
              <DocumentRow key={document.jobID} document={document} name={names.get(document.jobID)} />
            ))}
          </ul>
        </Section>
      ) : null}
      {left.length > 0 ? (
        <Section title={`On their way (${left.length})`}>
          <ul className="document-list">
            {left.map((upload) => (
              <UploadRow key={upload.key} upload={upload} />
            ))}
          </ul>
        </Section>
      ) : null}
      {shown.length > failedDocuments.length ? (
        <Section title="Documents">
          <ul className="document-list">
            {shown
              .filter((document) => !failedDocuments.includes(document))
              .map((document) => (
                <DocumentRow key={document.jobID} document={document} name={names.get(document.jobID)} />
              ))}
          </ul>
        </Section>
      ) : null}
    </>
  )
}

const NONE: readonly DocumentListed[] = []

function UploadRow({ upload }: { readonly upload: FileUpload }) {
  return (
    <li className="document-row">
      <span className="document-name">{upload.name}</span>
      <span className="muted">{sizeText(upload.sizeBytes)}</span>
      {upload.state === 'uploading' ? (
        <Bar label={`Sending ${upload.name}`} fraction={shareOf(upload.sentBytes, upload.sizeBytes)} state="running" />
      ) : null}
      {upload.state === 'queued' ? <span className="muted">waits for the ones before it</span> : null}
      {upload.state === 'failed' ? (
        <>
          <button type="button" className="small" onClick={() => sendAgain(upload.key)}>
            Send again<span className="visually-hidden"> {upload.name}</span>
          </button>
          <span className="row-error">{upload.message}</span>
        </>
      ) : null}
    </li>
  )
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
