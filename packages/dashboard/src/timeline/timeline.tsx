import type { StatusInfo, WireStep } from '@headrace/wire'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type ReactNode, useCallback, useMemo, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { Grid, GridCell, GridRow, GridRows } from '../rows/grid.tsx'
import { useRowCursor } from '../rows/use-row-cursor.ts'
import { areShortcutsOn } from '../shell/shortcuts.tsx'
import { useIsNarrow } from '../shell/use-is-narrow.ts'
import { isEnded, type ShownState, shownState } from '../state/shown-state.ts'
import { StateIcon } from '../state/state-chip.tsx'
import { absolute, duration, tickLabel, tickStepMs } from '../time/instant.ts'
import { useNow } from '../time/now.ts'
import {
  barOf,
  countStates,
  densityOf,
  type Fold,
  placeOf,
  type Span,
  spanOf,
  type TimelineRow,
  timelineRows,
} from './timeline-rows.ts'
import './timeline.css'

const ROW_PX = 28
/** A group's line has its counts below its name. */
const GROUP_ROW_PX = 46
const SLICES = 120
const FAILED_HEIGHT_MIN = 0.12
const TICKS = 6
const NARROW_TICKS = 2

/** When each job of a tree waited and ran. Draws only the lines in view, so thousands of children cost nothing. */
export function Timeline(props: {
  readonly rootId: string
  readonly jobs: readonly StatusInfo[]
  readonly steps: readonly WireStep[]
}) {
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set())
  const rows = useMemo(
    () => timelineRows({ rootId: props.rootId, jobs: props.jobs, steps: props.steps, toggled }),
    [props.rootId, props.jobs, props.steps, toggled],
  )
  const tickingMs = useNow()
  const isOver = useMemo(() => props.jobs.every(isEnded), [props.jobs])
  const nowMs = isOver ? 0 : tickingMs
  const span = useMemo(() => spanOf(props.jobs, nowMs), [props.jobs, nowMs])

  const scroller = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => heightOf(rows[index]),
    overscan: 6,
    getItemKey: useCallback((index: number) => rows[index]?.key ?? index, [rows]),
  })
  const cursor = useRowCursor(rows.length, virtualizer)
  const [, navigate] = useLocation()

  const toggle = (key: string) => setToggled((before) => withToggled(before, key))
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return
    if ((event.key === 'j' || event.key === 'k') && !areShortcutsOn()) return
    const row = rows[cursor.current]
    if (cursor.onKeyDown(event) || !row) return
    if (event.key === 'ArrowRight' && row.fold === 'closed') toggle(row.key)
    else if (event.key === 'ArrowLeft' && row.fold === 'open') toggle(row.key)
    else if (event.key === 'Enter' && row.kind === 'job' && row.job.jobID !== props.rootId)
      navigate(`/jobs/${row.job.jobID}`)
    else if (event.key === 'Enter' && row.fold !== 'none') toggle(row.key)
    else return
    event.preventDefault()
  }

  const items = virtualizer.getVirtualItems()
  return (
    <div className="timeline">
      <TimeAxis span={span} />
      <Grid
        className="timeline-rows"
        role="treegrid"
        aria-label="Timeline of the job and what it started"
        aria-rowcount={rows.length}
        ref={scroller}
        onKeyDown={onKeyDown}
        aria-activedescendant={
          items.some((item) => item.index === cursor.current) ? cursor.rowId(cursor.current) : undefined
        }
      >
        <GridRows className="timeline-sheet" heightPx={virtualizer.getTotalSize()}>
          {items.map((item) => {
            const row = rows[item.index]
            if (!row) return null
            return (
              <GridRow
                key={item.key}
                id={cursor.rowId(item.index)}
                aria-level={row.depth + 1}
                aria-rowindex={item.index + 1}
                aria-expanded={row.fold === 'none' ? undefined : row.fold === 'open'}
                className="timeline-row"
                data-current={item.index === cursor.current || undefined}
                topPx={item.start}
                heightPx={item.size}
                onClick={() => cursor.setCurrent(item.index)}
              >
                <RowLabel row={row} isRoot={row.key === props.rootId} nowMs={nowMs} onToggle={() => toggle(row.key)} />
                <GridCell className="timeline-track">
                  <RowMark row={row} span={span} nowMs={nowMs} />
                </GridCell>
              </GridRow>
            )
          })}
        </GridRows>
      </Grid>
    </div>
  )
}

function heightOf(row: TimelineRow | undefined): number {
  return row?.kind === 'group' ? GROUP_ROW_PX : ROW_PX
}

function withToggled(before: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const after = new Set(before)
  if (!after.delete(key)) after.add(key)
  return after
}

function TimeAxis(props: { readonly span: Span }) {
  const lengthMs = props.span.toMs - props.span.fromMs
  const stepMs = tickStepMs(lengthMs, useIsNarrow() ? NARROW_TICKS : TICKS)
  const ticks = Array.from({ length: Math.floor(lengthMs / stepMs) + 1 }, (_, index) => index * stepMs)
  return (
    <div className="timeline-axis" aria-hidden="true">
      <span title={absolute(props.span.fromMs)}>since {new Date(props.span.fromMs).toLocaleTimeString()}</span>
      <span className="timeline-ticks">
        {ticks.map((tick) => (
          <span
            key={tick}
            style={{ left: `${(tick / lengthMs) * 100}%` }}
            data-late={tick / lengthMs > 0.92 || undefined}
          >
            {tickLabel(tick)}
          </span>
        ))}
      </span>
    </div>
  )
}

function RowLabel(props: {
  readonly row: TimelineRow
  readonly isRoot: boolean
  readonly nowMs: number
  readonly onToggle: () => void
}) {
  const { row } = props
  return (
    <GridCell className="timeline-label" style={{ paddingLeft: `${row.depth * 14}px` }}>
      <FoldButton fold={row.fold} onToggle={props.onToggle} />
      {labelOf(row, props.isRoot, props.nowMs)}
    </GridCell>
  )
}

function FoldButton(props: { readonly fold: Fold; readonly onToggle: () => void }) {
  if (props.fold === 'none') return <span className="fold" />
  return (
    <button
      type="button"
      tabIndex={-1}
      className="fold"
      aria-label={props.fold === 'open' ? 'Fold' : 'Unfold'}
      onClick={props.onToggle}
    >
      <svg viewBox="0 0 12 12" aria-hidden="true" data-fold={props.fold}>
        <path d="m4 2 4 4-4 4" />
      </svg>
    </button>
  )
}

function labelOf(row: TimelineRow, isRoot: boolean, nowMs: number): ReactNode {
  switch (row.kind) {
    case 'job': {
      const name = row.isOneOfMany ? `${row.job.processID} #${row.job.item ?? 0}` : row.job.processID
      return (
        <>
          <StateIcon state={shownState(row.job, nowMs)} />
          <span className="visually-hidden">{shownState(row.job, nowMs)}</span>
          {isRoot ? (
            <strong className="timeline-name">{name}</strong>
          ) : (
            <Link
              href={`/jobs/${row.job.jobID}`}
              tabIndex={-1}
              className="timeline-name"
              title={`${name}, ${row.job.jobID}`}
            >
              {name}
            </Link>
          )}
          {row.job.attempt > 1 ? <span className="attempts">×{row.job.attempt}</span> : null}
        </>
      )
    }
    case 'group':
      return <GroupLabel name={row.name} jobs={row.jobs} nowMs={nowMs} />
    case 'step':
      return (
        <>
          <span className="step-dot" aria-hidden="true" />
          <span className="timeline-name" title={`${row.step.kind} ${row.step.name}`}>
            {row.step.name} <span className="muted">{row.step.kind}</span>
          </span>
        </>
      )
  }
}

const COUNTED: readonly ShownState[] = [
  'failed',
  'running',
  'cancelling',
  'waiting',
  'scheduled',
  'succeeded',
  'cancelled',
]

function GroupLabel(props: { readonly name: string; readonly jobs: readonly StatusInfo[]; readonly nowMs: number }) {
  const counts = useMemo(() => countStates(props.jobs, props.nowMs), [props.jobs, props.nowMs])
  return (
    <span className="group-label">
      <span className="timeline-name" title={props.name}>
        {props.name} <span className="muted">× {props.jobs.length.toLocaleString()}</span>
      </span>
      <span className="group-counts">
        {COUNTED.filter((state) => counts[state] > 0).map((state) => (
          <span key={state} data-state={state} title={`${counts[state].toLocaleString()} ${state}`}>
            <StateIcon state={state} />
            {counts[state].toLocaleString()}
            <span className="visually-hidden"> {state}</span>
          </span>
        ))}
      </span>
    </span>
  )
}

function RowMark(props: { readonly row: TimelineRow; readonly span: Span; readonly nowMs: number }) {
  const { row, span, nowMs } = props
  switch (row.kind) {
    case 'job':
      return <JobBar job={row.job} span={span} nowMs={nowMs} />
    case 'group':
      return <GroupStrip jobs={row.jobs} span={span} nowMs={nowMs} />
    case 'step':
      return <StepMark step={row.step} span={span} />
  }
}

function JobBar(props: { readonly job: StatusInfo; readonly span: Span; readonly nowMs: number }) {
  const { job } = props
  const bar = barOf(job, props.span, props.nowMs)
  const ranMs = (job.finished ? Date.parse(job.finished) : props.nowMs) - Date.parse(job.started ?? job.created)
  const says = job.started && job.state !== 'waiting' ? duration(ranMs) : shownState(job, props.nowMs)
  return (
    <>
      <span className="bar-wait" style={{ left: percent(bar.waitFrom), width: percent(bar.from - bar.waitFrom) }} />
      <span
        className="bar"
        data-state={shownState(job, props.nowMs)}
        style={{ left: percent(bar.from), width: percent(bar.to - bar.from) }}
        title={`${job.processID}: ${says}`}
      />
      <span className="bar-says" data-inside={bar.to > 0.88 || undefined} style={{ left: percent(bar.to) }}>
        {says}
      </span>
    </>
  )
}

function GroupStrip(props: { readonly jobs: readonly StatusInfo[]; readonly span: Span; readonly nowMs: number }) {
  const density = useMemo(
    () => densityOf(props.jobs, props.span, SLICES, props.nowMs),
    [props.jobs, props.span, props.nowMs],
  )
  return (
    <svg
      className="density"
      viewBox={`0 0 ${SLICES} 100`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`At most ${density.most} at once`}
    >
      <path className="density-all" d={skyline(density.running, density.most)} />
      <path
        className="density-failed"
        d={skyline(
          density.failing.map((count) => visible(count, density.most)),
          density.most,
        )}
      />
    </svg>
  )
}

/** One failure among thousands must not be thinner than a line. */
function visible(count: number, most: number): number {
  return count === 0 ? 0 : Math.max(count, most * FAILED_HEIGHT_MIN)
}

function skyline(values: readonly number[], most: number): string {
  const steps = values.map((value, index) => `V${100 - (value / most) * 100}H${index + 1}`)
  return `M0 100${steps.join('')}V100Z`
}

function StepMark(props: { readonly step: WireStep; readonly span: Span }) {
  const { step, span } = props
  const recorded = placeOf(Date.parse(step.recordedAt), span)
  const due = step.dueAt ? placeOf(Date.parse(step.dueAt), span) : recorded
  return (
    <>
      {due > recorded ? (
        <span className="bar-sleep" style={{ left: percent(recorded), width: percent(due - recorded) }} />
      ) : null}
      <span
        className="step-mark"
        data-failed={step.error !== undefined || undefined}
        style={{ left: percent(recorded) }}
        title={`${step.name}, recorded ${absolute(Date.parse(step.recordedAt))}`}
      />
    </>
  )
}

function percent(part: number): string {
  return `${(part * 100).toFixed(3)}%`
}
