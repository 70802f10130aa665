import type { LogLine } from '@headrace/wire'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type UIEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { Link } from 'wouter'
import { headrace } from '../data/headrace.ts'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { announce } from '../shell/announcer.tsx'
import { absolute, clockTime } from '../time/instant.ts'
import { filterLines, LEVELS, type Level, type LogBook, partsAround } from './log-book.ts'
import './logs.css'

const LINE_PX = 20
/** So near the end counts as at the end. */
const END_PX = 24
const BORDERS_PX = 2

/** The log of a job and of what it started: follows the end until the reader scrolls away from it. */
export function LogView(props: {
  readonly id: string
  readonly book: LogBook
  readonly nameOf: (jobId: string) => string
  readonly hasChildren: boolean
  readonly attempts: number
  readonly isOver: boolean
}) {
  const [level, setLevel] = useState<Level>('debug')
  const [text, setText] = useState('')
  const [onlyOwn, setOnlyOwn] = useState(false)
  const [attempt, setAttempt] = useState<number>()
  const [isFollowing, setFollowing] = useState(true)
  const lines = useMemo(
    () =>
      filterLines(props.book.lines, {
        level,
        text,
        ...(onlyOwn ? { jobId: props.id } : {}),
        ...(attempt === undefined ? {} : { attempt }),
      }),
    [props.book, props.id, level, text, onlyOwn, attempt],
  )

  return (
    <div className="log-view">
      <div className="log-tools">
        <label>
          <span className="visually-hidden">Least level</span>
          <select value={level} onChange={(event) => setLevel(event.target.value as Level)}>
            {LEVELS.map((one) => (
              <option key={one} value={one}>
                {one === 'debug' ? 'All levels' : `${one} and graver`}
              </option>
            ))}
          </select>
        </label>
        <input
          type="search"
          aria-label="Search the log"
          placeholder="Search the log"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {props.attempts > 1 ? (
          <label>
            <span className="visually-hidden">Attempt</span>
            <select value={attempt ?? ''} onChange={(event) => setAttempt(Number(event.target.value) || undefined)}>
              <option value="">All attempts</option>
              {Array.from({ length: props.attempts }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: attempts are numbered.
                <option key={index} value={index + 1}>
                  Attempt {index + 1}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        {props.hasChildren ? (
          <label className="check">
            <input type="checkbox" checked={onlyOwn} onChange={(event) => setOnlyOwn(event.target.checked)} />
            This job only
          </label>
        ) : null}
        <span className="log-count muted">{countText(lines.length, props.book.lines.length)}</span>
        <button type="button" aria-pressed={isFollowing} onClick={() => setFollowing(!isFollowing)}>
          {isFollowing ? 'Following' : 'Follow'}
        </button>
        <DownloadAll id={props.id} hasChildren={props.hasChildren} />
      </div>
      {props.book.dropped > 0 ? (
        <p className="muted">
          {props.book.dropped.toLocaleString()} older lines are not shown here; the download has all of them.
        </p>
      ) : null}
      {props.book.lines.length === 0 ? (
        <p className="muted log-empty">{props.isOver ? 'It logged nothing.' : 'Nothing has been logged yet.'}</p>
      ) : (
        <Lines
          id={props.id}
          lines={lines}
          text={text}
          nameOf={props.nameOf}
          isFollowing={isFollowing}
          onFollowing={setFollowing}
        />
      )}
    </div>
  )
}

function countText(shown: number, all: number): string {
  const noun = all === 1 ? 'line' : 'lines'
  return shown === all
    ? `${all.toLocaleString()} ${noun}`
    : `${shown.toLocaleString()} of ${all.toLocaleString()} ${noun}`
}

function Lines(props: {
  readonly id: string
  readonly lines: readonly LogLine[]
  readonly text: string
  readonly nameOf: (jobId: string) => string
  readonly isFollowing: boolean
  readonly onFollowing: (isFollowing: boolean) => void
}) {
  const { lines, isFollowing } = props
  const scroller = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 12,
    getItemKey: useCallback((index: number) => lines[index]?.cursor ?? index, [lines]),
  })
  const totalPx = virtualizer.getTotalSize()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the total height grows with the lines and as they are measured.
  useEffect(() => {
    if (isFollowing) scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  }, [isFollowing, lines.length, totalPx])

  const lastTop = useRef(0)
  const onScroll = (event: UIEvent<HTMLDivElement>) => {
    const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - END_PX
    // Only the reader scrolls up; new lines make the way down longer, which is not a wish to stay.
    if (scrollTop < lastTop.current && !isAtEnd) props.onFollowing(false)
    else if (isAtEnd && !isFollowing) props.onFollowing(true)
    lastTop.current = scrollTop
  }

  return (
    <ScrollRegion
      className="log-lines"
      label="Log"
      ref={scroller}
      onScroll={onScroll}
      style={{ height: `min(20rem, ${totalPx + BORDERS_PX}px)` }}
    >
      <div className="log-sheet" style={{ height: `${totalPx}px` }}>
        {virtualizer.getVirtualItems().map((item) => {
          const line = lines[item.index]
          if (!line) return null
          return (
            <div
              key={item.key}
              data-index={item.index}
              ref={virtualizer.measureElement}
              className="log-line"
              data-level={line.level}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <time dateTime={line.at} title={absolute(Date.parse(line.at))}>
                {clockTime(Date.parse(line.at))}
              </time>
              <span className="log-level">{line.level}</span>
              <span className="log-message">
                {line.jobId === props.id ? null : (
                  <Link href={`/jobs/${line.jobId}`} tabIndex={-1} className="log-from">
                    {props.nameOf(line.jobId)}
                  </Link>
                )}
                <Marked message={line.message} text={props.text} />
              </span>
            </div>
          )
        })}
      </div>
    </ScrollRegion>
  )
}

function Marked(props: { readonly message: string; readonly text: string }) {
  const parts = partsAround(props.message, props.text)
  // biome-ignore lint/suspicious/noArrayIndexKey: parts have no identity but their place.
  return parts.map((part, index) => (index % 2 === 1 ? <mark key={index}>{part}</mark> : part))
}

/** Reads every line from the server, whatever is filtered or loaded here, and gives one text file. */
function DownloadAll(props: { readonly id: string; readonly hasChildren: boolean }) {
  const [read, setRead] = useState<number>()
  const download = async () => {
    try {
      const text: string[] = []
      for await (const line of headrace.job(props.id).logs({ tree: props.hasChildren })) {
        text.push(`${line.at} ${line.level.padEnd(5)} ${line.jobId} #${line.attempt} ${line.message}\n`)
        if (text.length % 1000 === 0) setRead(text.length)
      }
      save(new Blob(text, { type: 'text/plain' }), `${props.id}.log`)
      announce(`${text.length} log lines downloaded.`)
    } catch (error) {
      announce(`The log could not be downloaded. ${error instanceof Error ? error.message : ''}`)
    } finally {
      setRead(undefined)
    }
  }
  return (
    <button
      type="button"
      disabled={read !== undefined}
      onClick={download}
      title="The whole log as text, whatever is filtered here"
    >
      {read === undefined ? 'Download all' : `${read.toLocaleString()} lines…`}
    </button>
  )
}

function save(blob: Blob, name: string) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
