import type { DocumentListed, WireError, WireEvent } from '@headrace/wire'
import { useCallback, useEffect, useRef, useState } from 'react'
import { asError, LOADING, type Loadable } from '../data/loadable.ts'
import { coalesce } from '../live/coalesce.ts'
import { type Connection, useAllEvents } from '../live/use-events.ts'
import { isEndedState } from './batch.ts'
import { getDocuments } from './document-data.ts'

const REDRAW_MS = 300
/** Asked for again when something appeared, this often at most; a batch of hundreds is a large answer. */
const REFETCH_MS = 2_000
const REFETCH_BATCH_MS = 6_000

type Documents = readonly DocumentListed[]

/** The newest documents, or those of a batch, kept current. */
export function useDocuments(batch: string | undefined): {
  readonly loadable: Loadable<Documents>
  readonly connection: Connection
  readonly reload: () => void
} {
  const [held, setHeld] = useState<{ readonly batch: string | undefined; readonly loadable: Loadable<Documents> }>({
    batch,
    loadable: LOADING,
  })
  const refetch = useRef<() => void>(() => {})

  useEffect(() => {
    const aborter = new AbortController()
    const show = (next: (before: Loadable<Documents>) => Loadable<Documents>) => {
      if (aborter.signal.aborted) return
      setHeld((before) => ({ batch, loadable: next(before.batch === batch ? before.loadable : LOADING) }))
    }
    const load = () =>
      getDocuments(batch, aborter.signal).then(
        (value) => show((before) => ({ state: 'ready', value: keepEnds(before, value) })),
        (thrown) => show((before) => (before.state === 'ready' ? before : { state: 'failed', error: asError(thrown) })),
      )
    const pipe = coalesce<true>(batch === undefined ? REFETCH_MS : REFETCH_BATCH_MS, load)
    refetch.current = () => pipe.push(true)
    pipe.push(true)
    return () => {
      aborter.abort()
      pipe.stop()
    }
  }, [batch])

  const loadable = held.batch === batch ? held.loadable : LOADING
  const known = useRef<ReadonlyMap<string, DocumentListed>>(new Map())
  known.current = loadable.state === 'ready' ? new Map(loadable.value.map((one) => [one.jobID, one])) : new Map()
  const onEvents = useCallback((events: readonly WireEvent[]) => {
    setHeld((before) => {
      if (before.loadable.state !== 'ready') return before
      return { ...before, loadable: { state: 'ready', value: documentsAfter(before.loadable.value, events) } }
    })
    const isNew = ({ kind, jobId }: WireEvent) => kind === 'queued' && !known.current.has(jobId)
    // Its name is known once it has begun.
    const isNamed = ({ kind, jobId }: WireEvent) => kind === 'progress' && known.current.get(jobId)?.name === 'document'
    if (events.some((event) => isNew(event) || isNamed(event))) refetch.current()
  }, [])
  const connection = useAllEvents(onEvents, REDRAW_MS)
  return { loadable, connection, reload: useCallback(() => refetch.current(), []) }
}

/** A list that was asked for before an end was told does not take it back. */
function keepEnds(before: Loadable<Documents>, after: Documents): Documents {
  if (before.state !== 'ready') return after
  const ended = new Map(before.value.filter(({ state }) => isEndedState(state)).map((one) => [one.jobID, one]))
  return after.map((one) => (isEndedState(one.state) ? one : (ended.get(one.jobID) ?? one)))
}

function documentsAfter(documents: Documents, events: readonly WireEvent[]): Documents {
  const byJob = Map.groupBy(events, ({ jobId }) => jobId)
  return documents.map((document) => (byJob.get(document.jobID) ?? []).reduce(documentAfter, document))
}

/** An event never takes a document back. */
export function documentAfter(document: DocumentListed, { kind, data }: WireEvent): DocumentListed {
  if (isEndedState(document.state)) return document
  const { fraction, message, state, error } = data
  if (kind === 'started') return { ...document, state: 'running' }
  if (kind === 'progress' && typeof fraction === 'number' && fraction >= document.progress)
    return { ...document, progress: fraction, ...(typeof message === 'string' && { message }) }
  if (kind !== 'ended' || (state !== 'succeeded' && state !== 'failed' && state !== 'cancelled')) return document
  const { code, message: why } = (error ?? {}) as Partial<WireError>
  return {
    ...document,
    state,
    ...(state === 'succeeded' && { progress: 1 }),
    ...(code !== undefined && { error: { code, message: why ?? code } }),
  }
}
