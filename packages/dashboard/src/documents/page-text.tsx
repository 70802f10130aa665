import type { DocumentPage, DocumentWord } from '@headrace/wire'
import { memo, type ReactNode, useMemo } from 'react'
import type { Hit } from './search-page.ts'

/** Words that were recognised with less are marked. */
export const CONFIDENCE_LOW = 60
/** Shown of a page without words; the rest is in the download. */
const LETTERS_MAX = 200_000

type Marks = {
  readonly page: DocumentPage
  readonly hits: readonly Hit[]
  readonly currentHit: Hit | undefined
}

/** The words of a page line by line. Which one is pointed at is told by its index. */
export const PageWords = memo(function PageWords(
  props: Marks & { readonly current: number | undefined; readonly onCurrent: (index: number | undefined) => void },
) {
  const { page, hits, currentHit, current, onCurrent } = props
  const lines = useMemo(() => linesOf(page.words), [page])
  const onPointer = (target: EventTarget) => {
    const index = (target as Element).closest<HTMLElement>('[data-word]')?.dataset.word
    onCurrent(index === undefined ? undefined : Number(index))
  }
  return (
    // The keyboard moves from word to word as well; see the page's view.
    <div
      className="page-words"
      onPointerOver={(event) => onPointer(event.target)}
      onPointerLeave={() => onCurrent(undefined)}
    >
      {lines.map((line) => (
        <p key={line[0]}>
          {line.map((index) => (
            <WordText
              key={index}
              index={index}
              word={page.words[index] as DocumentWord} // sound: linesOf gives indices of it
              isCurrent={index === current}
              hit={hitKind(index, hits, currentHit)}
            />
          ))}
        </p>
      ))}
    </div>
  )
})

const WordText = memo(function WordText(props: {
  readonly index: number
  readonly word: DocumentWord
  readonly isCurrent: boolean
  readonly hit: HitKind
}) {
  const { index, word, isCurrent, hit } = props
  const isLow = word.confidence < CONFIDENCE_LOW
  const text = (
    <span
      data-word={index}
      data-current={isCurrent || undefined}
      data-low={isLow || undefined}
      data-hit={hit}
      title={`${word.confidence} % sure`}
    >
      {word.text}
    </span>
  )
  return <>{hit === undefined ? text : <mark>{text}</mark>} </>
})

export type HitKind = 'one' | 'current' | undefined

export function hitKind(index: number, hits: readonly Hit[], current: Hit | undefined): HitKind {
  if (current && index >= current.from && index < current.to) return 'current'
  return hits.some(({ from, to }) => index >= from && index < to) ? 'one' : undefined
}

/** A page that is but text, with what was found in it. */
export function FlatText({ page, hits, currentHit }: Marks) {
  const text = page.text.slice(0, LETTERS_MAX)
  const parts: ReactNode[] = []
  let at = 0
  for (const hit of hits) {
    if (hit.to > text.length) break
    parts.push(text.slice(at, hit.from))
    parts.push(
      <mark key={hit.from} data-hit={hit === currentHit ? 'current' : 'one'}>
        {text.slice(hit.from, hit.to)}
      </mark>,
    )
    at = hit.to
  }
  parts.push(text.slice(at))
  return (
    <>
      <pre className="flat-text">{parts}</pre>
      {page.text.length > LETTERS_MAX ? (
        <p className="note">
          These are its first {LETTERS_MAX.toLocaleString('en')} letters; the rest is in the download.
        </p>
      ) : null}
    </>
  )
}

function linesOf(words: readonly DocumentWord[]): readonly (readonly number[])[] {
  return [...Map.groupBy(words.keys(), (index) => words[index]?.line).values()]
}
