import type { DocumentInfo, DocumentPage as ReadPage } from '@headrace/wire'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import { asError, LOADING, type Loadable } from '../data/loadable.ts'
import { ConnectionNote } from '../live/connection-note.tsx'
import { announce } from '../shell/announcer.tsx'
import { Loaded, PageHead } from '../shell/page.tsx'
import { StateChip } from '../state/state-chip.tsx'
import { Bar } from './bar.tsx'
import { isEndedState } from './batch.ts'
import { messageOf, readAgain } from './document-data.ts'
import { DocumentFacts, Downloads } from './document-facts.tsx'
import { allPages, PageList, type ShownPage } from './page-list.tsx'
import { PageView } from './page-view.tsx'
import { SearchBar } from './search-bar.tsx'
import type { Hit } from './search-page.ts'
import { PageShelf, useDocument } from './use-document.ts'
import { useSearch } from './use-search.ts'
import './documents.css'

/** A document: its pages as they are read, text beside picture, and what may be sought and taken along. */
export default function DocumentPage({ id }: { readonly id: string }) {
  const { loadable, connection, reload } = useDocument(id)
  if (loadable.state !== 'ready') {
    return (
      <>
        <PageHead title="Document" />
        <Loaded of={loadable} what="this document" onRetry={reload}>
          {() => null}
        </Loaded>
      </>
    )
  }
  const document = loadable.value
  const isOver = isEndedState(document.state)
  return (
    <div className="document-page">
      <nav className="crumbs" aria-label="Where this document belongs">
        <Link href="/documents">Documents</Link>
        <Link href={`/jobs/${id}`}>its job</Link>
        {document.again ? <Link href={`/documents/${document.again}`}>the document before</Link> : null}
      </nav>
      <PageHead
        title={document.name}
        aside={isOver ? <Downloads document={document} /> : <ConnectionNote connection={connection} />}
      >
        {document.name} <StateChip state={document.state} />
      </PageHead>
      <Progress document={document} />
      <Pages document={document} />
      <DocumentFacts document={document} />
    </div>
  )
}

function Progress({ document }: { readonly document: DocumentInfo }) {
  const { name, state, progress, message, error } = document
  const before = useRef(state)
  useEffect(() => {
    if (before.current !== state) announce(`${name} is ${state}.`)
    before.current = state
  }, [name, state])
  if (error) {
    return (
      <div className="failed-note" role="alert">
        <p>
          <strong>It was not read.</strong> {error.message} <code>{error.code}</code>
        </p>
      </div>
    )
  }
  if (isEndedState(state)) return null
  return (
    <div className="job-progress">
      <Bar label={`Reading ${name}`} fraction={progress} state="running" />
      <span>{message ?? 'waits for a worker'}</span>
    </div>
  )
}

function Pages({ document }: { readonly document: DocumentInfo }) {
  const { jobID: id, name } = document
  const [query, setQuery] = useSearchParams()
  const pages = useMemo(() => allPages(document), [document])
  const shelf = useMemo(() => new PageShelf(id), [id])
  const read = useStable(pages.filter(({ state }) => state === 'succeeded').map(({ number }) => number))
  const sought = query.get('q') ?? ''
  const search = useSearch(shelf, read, sought)
  const [hit, setHit] = useState<Hit>()
  const asked = Number(query.get('page') ?? 1)
  const selected = pages.find(({ number }) => number === asked) ?? pages[0]
  const change = (next: { readonly page?: number; readonly q?: string }) =>
    setQuery(
      (before) => {
        const after = new URLSearchParams(before)
        for (const [name, value] of Object.entries(next)) {
          if (value === '') after.delete(name)
          else after.set(name, String(value))
        }
        return after
      },
      { replace: true },
    )
  if (pages.length === 0 || selected === undefined) return null
  // Of a hit that a new query took away, the nearest one after it.
  const currentHit = search.hits.find((one) => isSameHit(one, hit))
  const go = (next: Hit | undefined) => {
    if (next === undefined) return
    setHit(next)
    change({ page: next.page })
    announce(`${search.hits.indexOf(next) + 1} of ${search.hits.length}, page ${next.page}`)
  }
  return (
    <>
      <SearchBar
        query={sought}
        hits={search.hits}
        current={currentHit}
        from={selected.number}
        searched={search.searched}
        of={read.length}
        onQuery={(q) => change({ q })}
        onGo={go}
      />
      <div className="document-body">
        <PageList pages={pages} selected={selected.number} hits={search.hits} onSelect={(page) => change({ page })} />
        <section className="section page-stage" aria-label={`Page ${selected.number}`}>
          <PageStage
            document={document}
            page={selected}
            shelf={shelf}
            name={name}
            hits={search.hits}
            currentHit={currentHit}
          />
        </section>
      </div>
    </>
  )
}

function PageStage(props: {
  readonly document: DocumentInfo
  readonly page: ShownPage
  readonly shelf: PageShelf
  readonly name: string
  readonly hits: readonly Hit[]
  readonly currentHit: Hit | undefined
}) {
  const { document, page, shelf, hits } = props
  const { number, state } = page
  const [held, setHeld] = useState<{ readonly key: string; readonly loadable: Loadable<ReadPage> }>()
  const [round, setRound] = useState(0)
  const key = `${document.jobID} ${number}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` is the request to load again.
  useEffect(() => {
    if (state !== 'succeeded') return
    let isGone = false
    const show = (loadable: Loadable<ReadPage>) => {
      if (!isGone) setHeld({ key, loadable })
    }
    shelf.get(number).then(
      (value) => show({ state: 'ready', value }),
      (thrown) => show({ state: 'failed', error: asError(thrown) }),
    )
    return () => {
      isGone = true
    }
  }, [shelf, number, state, key, round])
  const here = useMemo(() => hits.filter((hit) => hit.page === number), [hits, number])

  if (state === 'failed') return <FailedPage document={document} page={page} />
  if (state !== 'succeeded') {
    const said = isEndedState(document.state)
      ? 'was not read'
      : state === 'running'
        ? 'is being read'
        : 'waits to be read'
    return <p className="muted">{`Page ${number} ${said}.`}</p>
  }
  return (
    <Loaded
      of={held?.key === key ? held.loadable : LOADING}
      what={`page ${number}`}
      onRetry={() => setRound((before) => before + 1)}
    >
      {(read) => (
        <PageView
          key={key}
          id={document.jobID}
          name={props.name}
          page={read}
          hits={here}
          currentHit={props.currentHit?.page === number ? props.currentHit : undefined}
        />
      )}
    </Loaded>
  )
}

/** Why a page was not read, and the way to have this one, and no other, read again. */
function FailedPage({ document, page }: { readonly document: DocumentInfo; readonly page: ShownPage }) {
  const [, navigate] = useLocation()
  const [refused, setRefused] = useState<string>()
  const [isSending, setSending] = useState(false)
  const failed = document.pages.filter(({ state }) => state === 'failed').map(({ number }) => number)
  const retry = async (pages: readonly number[]) => {
    setSending(true)
    try {
      const id = await readAgain(document.jobID, pages)
      announce(pages.length === 1 ? `Page ${pages[0]} is read again.` : `${pages.length} pages are read again.`)
      navigate(`/documents/${id}?page=${page.number}`)
    } catch (thrown) {
      setRefused(messageOf(asError(thrown)))
    } finally {
      setSending(false)
    }
  }
  return (
    <div className="failed-note" role="alert">
      <p>
        <strong>Page {page.number} was not read.</strong> {page.error?.message} <code>{page.error?.code}</code>
      </p>
      {isEndedState(document.state) ? (
        <div className="page-actions">
          <button type="button" disabled={isSending} onClick={() => retry([page.number])}>
            Read this page again
          </button>
          {failed.length > 1 ? (
            <button type="button" disabled={isSending} onClick={() => retry(failed)}>
              Read all {failed.length} failed pages again
            </button>
          ) : null}
        </div>
      ) : (
        <p>It can be read again once the other pages are done.</p>
      )}
      {refused ? <p>{refused}</p> : null}
    </div>
  )
}

function isSameHit(one: Hit, other: Hit | undefined): boolean {
  return other !== undefined && one.page === other.page && one.from === other.from && one.to === other.to
}

/** The same array for as long as it holds the same numbers. */
function useStable(numbers: readonly number[]): readonly number[] {
  const before = useRef(numbers)
  if (before.current.join() !== numbers.join()) before.current = numbers
  return before.current
}
