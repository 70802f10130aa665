import { useEffect, useMemo, useRef, useState } from 'react'
import { findHits, type Hit, indexOf, type PageIndex } from './search-page.ts'
import type { PageShelf } from './use-document.ts'

const AT_ONCE = 4

export type Search = {
  readonly hits: readonly Hit[]
  /** Of the pages that are read. */
  readonly searched: number
  readonly failed: number
}

/** Finds a text in all pages that are read, also in those that come while one looks. Nothing is fetched before something is sought. */
export function useSearch(shelf: PageShelf, numbers: readonly number[], query: string): Search {
  const [indices, setIndices] = useState<ReadonlyMap<number, PageIndex | 'failed'>>(new Map())
  const asked = useRef(new Set<number>())
  const isSearching = query.trim() !== ''

  // biome-ignore lint/correctness/useExhaustiveDependencies: another document begins anew.
  useEffect(() => {
    asked.current = new Set()
    setIndices(new Map())
  }, [shelf])

  useEffect(() => {
    if (!isSearching) return
    let isGone = false
    const left = numbers.filter((number) => !asked.current.has(number)).values()
    const next = async () => {
      for (const number of left) {
        if (isGone) return
        asked.current.add(number)
        const index = await shelf.get(number).then(indexOf, () => 'failed' as const)
        if (index === 'failed') asked.current.delete(number)
        setIndices((before) => new Map(before).set(number, index))
      }
    }
    for (let one = 0; one < AT_ONCE; one++) next()
    return () => {
      isGone = true
    }
  }, [shelf, numbers, isSearching])

  return useMemo(() => {
    const known = [...indices.values()]
    const found = known.flatMap((index) => (index === 'failed' ? [] : findHits(index, query)))
    const failed = known.filter((index) => index === 'failed').length
    return { hits: found.sort(inOrder), searched: known.length - failed, failed }
  }, [indices, query])
}

function inOrder(a: Hit, b: Hit): number {
  return a.page - b.page || a.from - b.from
}
