import { type KeyboardEvent, useEffect, useRef } from 'react'
import { areShortcutsOn } from '../shell/shortcuts.tsx'
import type { Hit } from './search-page.ts'

/** Enter and Shift+Enter go on and back from hit to hit; so do n and p where nobody is typing. */
export function SearchBar(props: {
  readonly query: string
  readonly hits: readonly Hit[]
  readonly current: Hit | undefined
  /** The page that is shown: the first hit is sought from there on. */
  readonly from: number
  readonly searched: number
  readonly of: number
  readonly onQuery: (query: string) => void
  readonly onGo: (hit: Hit | undefined) => void
}) {
  const { query, hits, current, from, searched, of } = props
  const go = (by: 1 | -1) => {
    if (hits.length === 0) return
    const at = current === undefined ? -1 : hits.indexOf(current)
    if (at >= 0) return props.onGo(hits[(at + by + hits.length) % hits.length])
    props.onGo(
      by === 1 ? (hits.find(({ page }) => page >= from) ?? hits[0]) : hits.findLast(({ page }) => page <= from),
    )
  }
  const latest = useRef(go)
  latest.current = go
  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea, select')
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !areShortcutsOn()) return
      if (event.key === 'n') latest.current(1)
      else if (event.key === 'p') latest.current(-1)
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') {
      event.preventDefault()
      go(event.shiftKey ? -1 : 1)
    } else if (event.key === 'Escape') props.onQuery('')
  }
  const at = current === undefined ? 0 : hits.indexOf(current) + 1
  return (
    <search className="document-search">
      <label className="field grow">
        <span className="visually-hidden">Search in this document</span>
        <input
          type="search"
          data-search
          placeholder="Search in this document"
          value={query}
          onChange={(event) => props.onQuery(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </label>
      <button type="button" disabled={hits.length === 0} onClick={() => go(-1)}>
        Previous
      </button>
      <button type="button" disabled={hits.length === 0} onClick={() => go(1)}>
        Next
      </button>
      <span className="muted" role="status">
        {query.trim() === '' ? '' : said({ at, count: hits.length, searched, of })}
      </span>
    </search>
  )
}

function said(found: { at: number; count: number; searched: number; of: number }): string {
  const { at, count, searched, of } = found
  const places = count === 0 ? 'Not found' : at > 0 ? `${at} of ${count}` : `${count} found`
  return searched < of ? `${places}, in ${searched} of ${of} pages so far` : places
}
