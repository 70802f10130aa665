import type { DocumentField, DocumentInfo, DocumentSummary } from '@headrace/wire'
import { Link } from 'wouter'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { sizeText } from '../look/size-text.ts'
import { Section } from '../shell/section.tsx'
import { fileOf, imageOf } from './document-data.ts'

const FORMATS: Readonly<Record<string, string>> = {
  pdf: 'Searchable PDF',
  text: 'Text',
  markdown: 'Markdown',
  json: 'JSON',
}

/** A file of each format, to be kept. */
export function Downloads({ document }: { readonly document: DocumentInfo }) {
  const files = document.summary?.files
  if (files === undefined) return null
  return (
    <nav className="downloads" aria-label="Downloads">
      {Object.entries(FORMATS).map(([format, title]) => {
        const file = files[format]
        return file ? (
          <a key={format} href={fileOf(document.jobID, format)} download={file.name} title={sizeText(file.sizeBytes)}>
            {title}
          </a>
        ) : null
      })}
    </nav>
  )
}

/** What was found out about the document as a whole. */
export function DocumentFacts({ document }: { readonly document: DocumentInfo }) {
  const { summary } = document
  if (summary === undefined) return null
  const fields = Object.entries(summary.fields)
  const metadata = Object.entries(summary.metadata)
  return (
    <div className="document-facts">
      {summary.warnings.map((warning) => (
        <p className="note" key={warning}>
          {warning}
        </p>
      ))}
      {fields.length > 0 ? (
        <Section title="Fields">
          <ScrollRegion label="Fields" className="table-scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Field</th>
                  <th scope="col">Value</th>
                  <th scope="col">Where</th>
                </tr>
              </thead>
              <tbody>
                {fields.map(([name, field]) => (
                  <FieldRow key={name} id={document.jobID} name={name} field={field} />
                ))}
              </tbody>
            </table>
          </ScrollRegion>
        </Section>
      ) : null}
      <Section title="About it">
        <dl className="facts">
          {facts(summary).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
          {metadata.map(([name, value]) => (
            <div key={`its ${name}`}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <Attachments summary={summary} />
      <PageImages document={document} />
    </div>
  )
}

function facts({ kind, sizeBytes, pageCount, wordCount, language, confidence }: DocumentSummary) {
  return [
    ['Kind', kind],
    ['Size', sizeText(sizeBytes)],
    ['Pages', String(pageCount)],
    ['Words', wordCount.toLocaleString('en')],
    ...(language === undefined ? [] : [['Language', language]]),
    ...(confidence === undefined ? [] : [['Sure', `${confidence} %`]]),
  ] as [string, string][]
}

function FieldRow(props: { readonly id: string; readonly name: string; readonly field: DocumentField }) {
  const { id, name, field } = props
  const isFound = 'page' in field
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{field.value === null ? <span className="muted">not found</span> : String(field.value)}</td>
      <td>
        {isFound ? <Link href={`/documents/${id}?page=${field.page}`}>page {field.page}</Link> : null}
        {!isFound && field.error ? <span className="row-error">{field.error.message}</span> : null}
      </td>
    </tr>
  )
}

function Attachments({ summary }: { readonly summary: DocumentSummary }) {
  if (summary.attachments.length === 0) return null
  return (
    <Section title={`Attachments (${summary.attachments.length})`}>
      <ul className="document-list">
        {summary.attachments.map((attachment, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two attachments may have one name.
          <li className="document-row" key={index}>
            <span className="document-name">{attachment.name}</span>
            <span className="muted">{sizeText(attachment.sizeBytes)}</span>
            {'document' in attachment ? (
              <span className="muted">
                {attachment.document.kind}, {attachment.document.wordCount} words
              </span>
            ) : (
              <span className="row-error">{attachment.error.message}</span>
            )}
          </li>
        ))}
      </ul>
    </Section>
  )
}

function PageImages({ document }: { readonly document: DocumentInfo }) {
  const read = document.pages.filter(({ state }) => state === 'succeeded')
  if (!document.summary?.imageCount || read.length === 0) return null
  return (
    <Section title="Page images">
      <details>
        <summary>{read.length === 1 ? 'One picture' : `${read.length} pictures`}</summary>
        <ul className="page-images">
          {read.map(({ number }) => (
            <li key={number}>
              <a href={imageOf(document.jobID, number)} download={`page-${number}.jpg`}>
                <span className="visually-hidden">Picture of page </span>
                {number}
              </a>
            </li>
          ))}
        </ul>
      </details>
    </Section>
  )
}
