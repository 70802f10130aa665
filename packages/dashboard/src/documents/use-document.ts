import type { DocumentInfo, DocumentPage, WireEvent } from '@headrace/wire'
import { useCallback, useEffect, useRef, useState } from 'react'
import { asError, LOADING, type Loadable } from '../data/loadable.ts'
import { coalesce } from '../live/coalesce.ts'
import { type Connection, useTreeEvents } from '../live/use-events.ts'
import { isEndedState } from './batch.ts'
import { getDocument, getPage } from './document-data.ts'

const REDRAW_MS = 250
/** With thousands of pages it is a large answer. */
const REFETCH_MS = 700
/** Kept of pages that were looked at; each holds a box for every word. */
const PAGES_KEPT = 30

const CHANGES: readonly WireEvent['kind'][] = [
  'queued',
  'started',
  'progress',
  'ended',
  'retried',
  'lapsed',
  'released',
]

/** A document, asked for again whenever something happened to one of its jobs, until it has ended. */
export function useDocument(id: string): {
  readonly loadable: Loadable<DocumentInfo>
  readonly connection: Connection
  readonly reload: () => void
} {
  const [loadable, setLoadable] = useState<Loadable<DocumentInfo>>(LOADING)
  const refetch = useRef<() => void>(() => {})
  useEffect(() => {
    const aborter = new AbortController()
    let isLoading = false
    const load = async () => {
      // One at a time, so that an older answer never takes the place of a newer one.
      if (isLoading) return pipe.push(true)
      isLoading = true
      try {
        const value = await getDocument(id, aborter.signal)
        if (!aborter.signal.aborted) setLoadable({ state: 'ready', value })
      } catch (thrown) {
        if (aborter.signal.aborted) return
        setLoadable((before) => (before.state === 'ready' ? before : { state: 'failed', error: asError(thrown) }))
      } finally {
        isLoading = false
      }
    }
    const pipe = coalesce<true>(REFETCH_MS, load)
    refetch.current = () => pipe.push(true)
    pipe.push(true)
    return () => {
      aborter.abort()
      pipe.stop()
    }
  }, [id])

  const isOver = loadable.state === 'ready' && isEndedState(loadable.value.state)
  const onEvents = (events: readonly WireEvent[]) => {
    if (!isOver && events.some(({ kind }) => CHANGES.includes(kind))) refetch.current()
  }
  const connection = useTreeEvents(id, onEvents, REDRAW_MS)
  return { loadable, connection, reload: useCallback(() => refetch.current(), []) }
}

/** The pages of one document, each fetched once; the ones looked at last are kept. */
export class PageShelf {
  readonly #id: string
  readonly #pages = new Map<number, Promise<DocumentPage>>()

  constructor(id: string) {
    this.#id = id
  }

  get(number: number): Promise<DocumentPage> {
    const page = this.#pages.get(number) ?? getPage(this.#id, number)
    this.#pages.delete(number)
    this.#pages.set(number, page)
    // One that failed may come the next time.
    page.catch(() => this.#pages.delete(number))
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= PAGES_KEPT) break
      this.#pages.delete(oldest)
    }
    return page
  }
}
