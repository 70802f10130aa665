import type { StatusInfo } from '@headrace/wire'
import { useVirtualizer } from '@tanstack/react-virtual'
import {
  type KeyboardEvent,
  memo,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { Link, useLocation } from 'wouter'
import { Grid, GridCell, GridHead, GridRow, GridRows } from '../rows/grid.tsx'
import { useRowCursor } from '../rows/use-row-cursor.ts'
import { areShortcutsOn } from '../shell/shortcuts.tsx'
import { useIsNarrow } from '../shell/use-is-narrow.ts'
import { isEnded, shownState } from '../state/shown-state.ts'
import { ProgressBar, StateChip } from '../state/state-chip.tsx'
import { useNow } from '../time/now.ts'
import { Duration, RelativeTime } from '../time/time.tsx'
import { BulkBar } from './bulk-bar.tsx'

const ROW_PX = 40
const NARROW_ROW_PX = 76
const ROWS_BEFORE_MORE = 30

/** Thousands of jobs, of which only the rows in view are in the document. */
export function JobTable(props: {
  readonly jobs: readonly StatusInfo[]
  readonly hasMore: boolean
  readonly isLoadingMore: boolean
  readonly onMore: () => void
  readonly onTag: (tag: string) => void
}) {
  const { jobs, hasMore, onMore } = props
  const scroller = useRef<HTMLDivElement>(null)
  const isNarrow = useIsNarrow()
  const rowPx = isNarrow ? NARROW_ROW_PX : ROW_PX
  const virtualizer = useVirtualizer({
    count: jobs.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 8,
    getItemKey: useCallback((index: number) => jobs[index]?.jobID ?? index, [jobs]),
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: measures again when the row's height changes.
  useEffect(() => virtualizer.measure(), [rowPx])

  const cursor = useRowCursor(jobs.length, virtualizer)
  useSteadyRows({ jobs, rowPx, scroller, shiftCursor: cursor.shift })
  const [, navigate] = useLocation()
  const selection = useSelection(jobs)

  const rows = virtualizer.getVirtualItems()
  const lastShown = rows.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasMore && lastShown >= jobs.length - ROWS_BEFORE_MORE) onMore()
  }, [hasMore, lastShown, jobs.length, onMore])

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return
    const job = jobs[cursor.current]
    if ((event.key === 'j' || event.key === 'k') && !areShortcutsOn()) return
    if (cursor.onKeyDown(event) || !job) return
    if (event.key === 'Enter') navigate(`/jobs/${job.jobID}`)
    else if (event.key === ' ' || (event.key === 'x' && areShortcutsOn())) {
      event.preventDefault()
      selection.toggle(job.jobID)
    }
  }
  useMoveFromAnywhere(cursor.move, scroller)

  return (
    <>
      <BulkBar jobs={jobs} selected={selection.selected} onClear={selection.clear} />
      <Grid
        className="job-table"
        role="grid"
        aria-label="Jobs, newest first"
        aria-rowcount={hasMore ? -1 : jobs.length + 1}
        aria-colcount={7}
        aria-multiselectable="true"
        ref={scroller}
        onKeyDown={onKeyDown}
        aria-activedescendant={
          rows.some((row) => row.index === cursor.current) ? cursor.rowId(cursor.current) : undefined
        }
      >
        <HeadRow isAll={selection.isAll} isSome={selection.isSome} onToggleAll={selection.toggleAll} />
        <GridRows className="job-rows" heightPx={virtualizer.getTotalSize()}>
          {rows.map((row) => {
            const job = jobs[row.index]
            if (!job) return null
            return (
              <JobRow
                key={row.key}
                id={cursor.rowId(row.index)}
                job={job}
                index={row.index}
                top={row.start}
                isCurrent={row.index === cursor.current}
                isSelected={selection.selected.has(job.jobID)}
                onToggle={selection.toggle}
                onCurrent={cursor.setCurrent}
                onTag={props.onTag}
              />
            )
          })}
        </GridRows>
      </Grid>
      <p className="table-foot muted">
        {jobs.length.toLocaleString()} {jobs.length === 1 ? 'job' : 'jobs'}
        {hasMore ? (props.isLoadingMore ? ' so far, loading more…' : ' so far; scroll for older ones') : ''}
      </p>
    </>
  )
}

function HeadRow(props: { readonly isAll: boolean; readonly isSome: boolean; readonly onToggleAll: () => void }) {
  return (
    <GridRow className="job-row job-head" aria-rowindex={1}>
      <GridHead className="cell-check">
        <input
          type="checkbox"
          aria-label="Select all loaded jobs"
          checked={props.isAll}
          ref={(box) => {
            if (box) box.indeterminate = props.isSome && !props.isAll
          }}
          onChange={props.onToggleAll}
        />
      </GridHead>
      {['State', 'Process', 'Progress', 'Tags', 'Submitted', 'Took'].map((name) => (
        <GridHead key={name} className={`cell-${name.toLowerCase()}`}>
          {name}
        </GridHead>
      ))}
    </GridRow>
  )
}

const JobRow = memo(function JobRow(props: {
  readonly id: string
  readonly job: StatusInfo
  readonly index: number
  readonly top: number
  readonly isCurrent: boolean
  readonly isSelected: boolean
  readonly onToggle: (id: string) => void
  readonly onCurrent: (index: number) => void
  readonly onTag: (tag: string) => void
}) {
  const { job } = props
  const nowMs = useNow()
  return (
    <GridRow
      id={props.id}
      aria-rowindex={props.index + 2}
      aria-selected={props.isSelected}
      data-current={props.isCurrent || undefined}
      className="job-row"
      topPx={props.top}
      onClick={() => props.onCurrent(props.index)}
    >
      <GridCell className="cell-check">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Select ${job.processID} ${job.jobID}`}
          checked={props.isSelected}
          onChange={() => props.onToggle(job.jobID)}
        />
      </GridCell>
      <GridCell className="cell-state">
        <StateChip state={shownState(job, nowMs)} />
      </GridCell>
      <GridCell className="cell-process">
        <Link href={`/jobs/${job.jobID}`} tabIndex={-1}>
          {job.processID}
        </Link>
        <span className="job-id muted" title={job.jobID}>
          {job.jobID.slice(-12)}
        </span>
        {job.attempt > 1 ? <span className="attempts">attempt {job.attempt}</span> : null}
        {job.state === 'failed' && job.error ? (
          <span className="row-error" title={job.error.message}>
            {job.error.code}: {job.error.message}
          </span>
        ) : job.state === 'running' && job.progressMessage ? (
          <span className="row-message muted">{job.progressMessage}</span>
        ) : null}
      </GridCell>
      <GridCell className="cell-progress">
        {job.state === 'waiting' && !job.progressFraction ? null : <ProgressBar job={job} />}
      </GridCell>
      <GridCell className="cell-tags">
        {job.tags.slice(0, 3).map((tag) => (
          <button
            type="button"
            key={tag}
            tabIndex={-1}
            className="tag"
            title={`Only jobs tagged ${tag}`}
            onClick={() => props.onTag(tag)}
          >
            {tag}
          </button>
        ))}
        {job.tags.length > 3 ? <span className="muted">+{job.tags.length - 3}</span> : null}
      </GridCell>
      <GridCell className="cell-submitted">
        <RelativeTime at={job.created} />
      </GridCell>
      <GridCell className="cell-took">
        {job.started && (job.state === 'running' || isEnded(job)) ? (
          <Duration from={job.started} to={job.finished} />
        ) : (
          <span className="muted">–</span>
        )}
      </GridCell>
    </GridRow>
  )
})

/** New jobs appear on top; a reader who has scrolled away from there, or moved the cursor, keeps the rows where they are. */
function useSteadyRows(props: {
  readonly jobs: readonly StatusInfo[]
  readonly rowPx: number
  readonly scroller: RefObject<HTMLDivElement | null>
  readonly shiftCursor: (by: number) => void
}) {
  const { jobs, rowPx, scroller, shiftCursor } = props
  const first = useRef(jobs[0]?.jobID)
  useLayoutEffect(() => {
    const added = jobs.findIndex((job) => job.jobID === first.current)
    first.current = jobs[0]?.jobID
    const element = scroller.current
    if (added <= 0 || !element) return
    if (element.scrollTop > 0) element.scrollTop += added * rowPx
    if (document.activeElement === element) shiftCursor(added)
  }, [jobs, rowPx, scroller, shiftCursor])
}

function useSelection(jobs: readonly StatusInfo[]) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const toggle = useRef((id: string) =>
    setSelected((before) => {
      const after = new Set(before)
      if (!after.delete(id)) after.add(id)
      return after
    }),
  ).current
  const isAll = jobs.length > 0 && jobs.every((job) => selected.has(job.jobID))
  return {
    selected,
    toggle,
    isAll,
    isSome: selected.size > 0,
    toggleAll: () => setSelected(isAll ? new Set() : new Set(jobs.map((job) => job.jobID))),
    clear: () => setSelected(new Set()),
  }
}

/** j and k work right after the page has opened, before anything has the focus: the first one goes to the table. */
function useMoveFromAnywhere(move: (by: number) => void, table: RefObject<HTMLDivElement | null>) {
  const latest = useRef(move)
  latest.current = move
  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      const isIdle = document.activeElement === document.body || document.activeElement?.matches('h1, main')
      if (!isIdle || event.ctrlKey || event.metaKey || event.altKey || !areShortcutsOn()) return
      if (event.key !== 'j' && event.key !== 'k') return
      event.preventDefault()
      table.current?.focus({ preventScroll: true })
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [table])
}
