import type { DocumentInfo, DocumentPageState } from '@headrace/wire'
import { useEffect, useRef } from 'react'
import { StateIcon } from '../state/state-chip.tsx'
import type { Hit } from './search-page.ts'

export type ShownPage = DocumentPageState

/** Every page of a document: also those that nobody has begun with. */
export function allPages({ pages, pageCount = 0, summary }: DocumentInfo): readonly ShownPage[] {
  const count = Math.max(pageCount, summary?.pageCount ?? 0, ...pages.map(({ number }) => number))
  const known = new Map(pages.map((page) => [page.number, page]))
  return Array.from({ length: count }, (_, index) => known.get(index + 1) ?? { number: index + 1, state: 'waiting' })
}

export function PageList(props: {
  readonly pages: readonly ShownPage[]
  readonly selected: number
  readonly hits: readonly Hit[]
  readonly onSelect: (number: number) => void
}) {
  const { pages, selected, hits } = props
  const list = useRef<HTMLOListElement>(null)
  const hitsOf = Map.groupBy(hits, ({ page }) => page)
  const done = pages.filter(({ state }) => state === 'succeeded').length
  const failed = pages.filter(({ state }) => state === 'failed').length

  // biome-ignore lint/correctness/useExhaustiveDependencies: it follows the selected page.
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [selected])

  return (
    <nav className="page-list" aria-label="Pages of the document">
      <p className="muted">
        {done} of {pages.length} read{failed > 0 ? `, ${failed} failed` : ''}
      </p>
      <ol ref={list}>
        {pages.map(({ number, state }) => {
          const found = hitsOf.get(number)?.length ?? 0
          return (
            <li key={number}>
              <button
                type="button"
                aria-label={`Page ${number}, ${state}${found > 0 ? `, ${found} found` : ''}`}
                aria-current={number === selected ? 'page' : undefined}
                onClick={() => props.onSelect(number)}
              >
                <StateIcon state={state} />
                <span>{number}</span>
                {found > 0 ? <span className="hit-count">{found}</span> : null}
              </button>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}
