import type { StatusInfo, WireEvent } from '@headrace/wire'
import { useCallback, useEffect, useRef, useState } from 'react'
import { listJobs, nextPage } from '../data/headrace.ts'
import { asError, LOADING, type Loadable } from '../data/loadable.ts'
import { coalesce } from '../live/coalesce.ts'
import { type Connection, useAllEvents } from '../live/use-events.ts'
import { afterEvent, mergeJobs } from './job-changes.ts'
import { filterToQuery, filterToRequest, type JobFilter, stillBelongs } from './job-filter.ts'

const PAGE_SIZE = 100
const REDRAW_MS = 300
const REFETCH_MS = 1000

type Shown = { readonly jobs: readonly StatusInfo[]; readonly next: string | undefined }

export type LiveJobs = {
  readonly loadable: Loadable<Shown>
  readonly connection: Connection
  readonly isLoadingMore: boolean
  readonly loadMore: () => void
  readonly reload: () => void
}

/**
 * The jobs that a filter lets through, newest first, loaded page by page and kept current: an event about a job that is
 * shown changes its row; one about a job that is not shown, and might have to be, asks for the first page again.
 */
export function useJobs(filter: JobFilter): LiveJobs {
  // Of the filter, not of the request: that has the time in it, which would make every draw another list.
  const scope = filterToQuery(filter).toString()
  const [shown, setShown] = useState<{ scope: string; loadable: Loadable<Shown> }>({ scope, loadable: LOADING })
  const [isLoadingMore, setLoadingMore] = useState(false)
  const [round, setRound] = useState(0)
  const latest = useRef(filter)
  latest.current = filter

  const known = useRef<ReadonlySet<string>>(new Set())
  const loadable = shown.scope === scope ? shown.loadable : LOADING
  const jobs = loadable.state === 'ready' ? loadable.value.jobs : undefined
  useEffect(() => {
    known.current = new Set(jobs?.map((job) => job.jobID))
  }, [jobs])

  const change = useCallback(
    (next: (before: Shown) => Shown) =>
      setShown((before) =>
        before.scope === scope && before.loadable.state === 'ready'
          ? { scope, loadable: { state: 'ready', value: next(before.loadable.value) } }
          : before,
      ),
    [scope],
  )

  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` is the request to load again.
  useEffect(() => {
    const aborter = new AbortController()
    listJobs(filterToRequest(latest.current, Date.now()), PAGE_SIZE, aborter.signal).then(
      (list) => {
        const value = { jobs: list.jobs, next: nextPage(list) }
        if (!aborter.signal.aborted) setShown({ scope, loadable: { state: 'ready', value } })
      },
      (thrown) => {
        if (!aborter.signal.aborted) setShown({ scope, loadable: { state: 'failed', error: asError(thrown) } })
      },
    )
    return () => aborter.abort()
  }, [scope, round])

  const refetch = useRef<(() => void) | undefined>(undefined)
  useEffect(() => {
    const aborter = new AbortController()
    const pipe = coalesce<true>(REFETCH_MS, () => {
      listJobs(filterToRequest(latest.current, Date.now()), PAGE_SIZE, aborter.signal).then(
        (list) => {
          if (aborter.signal.aborted) return
          change((before) => withHead(before, { jobs: list.jobs, next: nextPage(list) }))
        },
        () => {}, // The rows stay as they are; the next event asks again.
      )
    })
    refetch.current = () => pipe.push(true)
    // A hidden page gives its stream back; what it missed before the first event is in the list itself.
    const onVisibility = () => {
      if (!document.hidden) pipe.push(true)
    }
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      pipe.stop()
      aborter.abort()
    }
  }, [change])

  const onEvents = useCallback(
    (events: readonly WireEvent[]) => {
      change((before) => applyEvents(before, events, latest.current))
      if (events.some((event) => mayAppear(event, known.current, latest.current))) refetch.current?.()
    },
    [change],
  )
  const connection = useAllEvents(onEvents, REDRAW_MS)

  const next = loadable.state === 'ready' ? loadable.value.next : undefined
  const loadMore = useCallback(() => {
    if (!next || isLoadingMore) return
    setLoadingMore(true)
    listJobs(next, PAGE_SIZE)
      .then(
        (list) => change((before) => ({ jobs: mergeJobs(before.jobs, list.jobs), next: nextPage(list) })),
        () => {}, // The link is still there, so scrolling on tries again.
      )
      .finally(() => setLoadingMore(false))
  }, [next, isLoadingMore, change])

  return { loadable, connection, isLoadingMore, loadMore, reload: () => setRound((n) => n + 1) }
}

/** The list with a newly loaded first page. When more came than fit on it, the page is the list: better short than with a hole. */
function withHead(shown: Shown, head: Shown): Shown {
  const oldest = head.jobs.at(-1)?.jobID
  const newest = shown.jobs[0]?.jobID
  const overlaps = head.next === undefined || oldest === undefined || newest === undefined || oldest <= newest
  return overlaps ? { ...shown, jobs: mergeJobs(shown.jobs, head.jobs) } : head
}

function applyEvents(shown: Shown, events: readonly WireEvent[], filter: JobFilter): Shown {
  const byJob = Map.groupBy(events, (event) => event.jobId)
  let changed = false
  const jobs = shown.jobs.map((job) => {
    const mine = byJob.get(job.jobID)
    const after = mine ? mine.reduce(afterEvent, job) : job
    if (after !== job) changed = true
    return after
  })
  return changed ? { ...shown, jobs: jobs.filter((job) => stillBelongs(filter, job)) } : shown
}

const CHANGES_STATE: readonly WireEvent['kind'][] = ['queued', 'started', 'ended', 'retried', 'lapsed', 'released']

function mayAppear(event: WireEvent, known: ReadonlySet<string>, filter: JobFilter): boolean {
  if (known.has(event.jobId)) return false
  return filter.state === undefined ? event.kind === 'queued' : CHANGES_STATE.includes(event.kind)
}
