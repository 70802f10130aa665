import type { DocumentListed } from '@headrace/wire'
import { useMemo, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { ConnectionNote } from '../live/connection-note.tsx'
import { announce } from '../shell/announcer.tsx'
import { Loaded, PageHead } from '../shell/page.tsx'
import { Section } from '../shell/section.tsx'
import { latestOf } from './batch.ts'
import { BatchView } from './batch-view.tsx'
import { DocumentRow } from './document-row.tsx'
import { DropArea } from './drop-area.tsx'
import { newBatch, type ReadingWish, sendFiles, useUploads } from './uploads.ts'
import { useDocuments } from './use-documents.ts'
import './documents.css'

const OUTPUTS = { all: ['images', 'pdf'], images: ['images'], text: [] } as const satisfies Record<
  string,
  ReadingWish['outputs']
>
const LANGUAGES = /^[a-z]{3}(_[a-z]+)?$/i

export default function DocumentsPage() {
  const [query, setQuery] = useSearchParams()
  const batch = query.get('batch') ?? undefined
  const uploads = useUploads()
  const ofBatch = useMemo(() => uploads.filter((upload) => upload.batch === batch), [uploads, batch])
  const { loadable, connection, reload } = useDocuments(batch)
  const [languages, setLanguages] = useState('eng')
  const [ocr, setOcr] = useState<NonNullable<ReadingWish['ocr']>>('auto')
  const [makes, setMakes] = useState<keyof typeof OUTPUTS>('all')

  const wanted = languages.split(/[\s,+]+/).filter((one) => one !== '')
  const wrong = wanted.find((one) => !LANGUAGES.test(one))
  const take = (files: readonly File[]) => {
    if (files.length === 0) return
    // What is chosen while a batch is on its way belongs to it.
    const name = batch !== undefined && ofBatch.length > 0 ? batch : newBatch()
    sendFiles(files, name, {
      ocr,
      outputs: OUTPUTS[makes],
      ...(wanted.length > 0 && wrong === undefined && { languages: wanted }),
    })
    announce(files.length === 1 ? `${files[0]?.name} is sent.` : `${files.length} files are sent.`)
    if (name !== batch) setQuery({ batch: name })
  }

  return (
    <div className="documents-page">
      <PageHead title="Documents" aside={<ConnectionNote connection={connection} />} />
      <DropArea onFiles={take}>
        <details className="reading-wish">
          <summary>How they are read</summary>
          <div className="wish-fields">
            <label className="field">
              <span>Languages</span>
              <input
                value={languages}
                onChange={(event) => setLanguages(event.target.value)}
                aria-invalid={wrong !== undefined}
                aria-describedby="languages-note"
              />
            </label>
            <label className="field">
              <span>Recognise</span>
              <select value={ocr} onChange={(event) => setOcr(event.target.value as typeof ocr)}>
                <option value="auto">pages without text of their own</option>
                <option value="always">every page</option>
                <option value="never">nothing</option>
              </select>
            </label>
            <label className="field">
              <span>Make</span>
              <select value={makes} onChange={(event) => setMakes(event.target.value as typeof makes)}>
                <option value="all">text, page images and a searchable PDF</option>
                <option value="images">text and page images</option>
                <option value="text">text only, which is done sooner</option>
              </select>
            </label>
          </div>
          <p className="muted" id="languages-note">
            {wrong === undefined
              ? 'As Tesseract names them: eng, deu, fra. The server needs the data of each.'
              : `${wrong} is no name of a language; eng, deu and chi_sim are.`}
          </p>
        </details>
      </DropArea>
      {batch === undefined ? null : (
        <BatchView batch={batch} uploads={ofBatch} loadable={loadable} onReload={reload} onLeave={() => setQuery({})} />
      )}
      {batch === undefined ? (
        <Section title="Newest documents">
          <Loaded of={loadable} what="the documents" onRetry={reload}>
            {(documents) => <DocumentTable documents={latestOf(documents)} />}
          </Loaded>
        </Section>
      ) : null}
    </div>
  )
}

function DocumentTable({ documents }: { readonly documents: readonly DocumentListed[] }) {
  if (documents.length === 0)
    return <p className="muted">None yet. Drop one above, or send it to POST /elab; then it is listed here.</p>
  return (
    <>
      <ul className="document-list">
        {documents.map((document) => (
          <DocumentRow key={document.jobID} document={document} />
        ))}
      </ul>
      <p className="muted">
        Older ones are among the <Link href="/jobs?process=documents.process">jobs</Link>.
      </p>
    </>
  )
}
