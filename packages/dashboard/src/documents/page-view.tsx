import type { DocumentImage, DocumentPage } from '@headrace/wire'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { announce } from '../shell/announcer.tsx'
import { imageOf } from './document-data.ts'
import { PageImage } from './page-image.tsx'
import { PageTables } from './page-tables.tsx'
import { CONFIDENCE_LOW, FlatText, PageWords } from './page-text.tsx'
import type { Hit } from './search-page.ts'

/** A page that was read: its picture, and its text beside it. Pointing at a word shows its box, and the other way round. */
export function PageView(props: {
  readonly id: string
  readonly name: string
  readonly page: DocumentPage
  readonly hits: readonly Hit[]
  readonly currentHit: Hit | undefined
}) {
  const { id, name, page, hits, currentHit } = props
  const [current, setCurrent] = useState<number>()
  const [isLarge, setLarge] = useState(false)
  const text = useRef<HTMLDivElement>(null)
  const picture = useRef<HTMLDivElement>(null)

  useEffect(() => {
    if (currentHit?.page !== page.number) return
    for (const place of [text, picture]) {
      place.current?.querySelector('[data-hit=current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    }
  }, [currentHit, page])

  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (by === 0 || page.words.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const next = Math.min(page.words.length - 1, Math.max(0, current === undefined ? 0 : current + by))
    setCurrent(next)
    text.current?.querySelector(`[data-word="${next}"]`)?.scrollIntoView({ block: 'nearest' })
    picture.current?.querySelector(`[data-word="${next}"]`)?.scrollIntoView({ block: 'nearest' })
    const word = page.words[next]
    if (word) announce(`${word.text}, ${word.confidence} % sure`)
  }

  const marks = { page, hits, currentHit }
  return (
    <>
      <PageFacts page={page} current={current} />
      {hasImage(page) ? (
        <button type="button" className="small enlarge" aria-pressed={isLarge} onClick={() => setLarge(!isLarge)}>
          Enlarge the picture
        </button>
      ) : null}
      <div className="page-sides" data-has-image={hasImage(page)}>
        {hasImage(page) ? (
          <ScrollRegion label={`Picture of page ${page.number}`} className="page-side" ref={picture}>
            <PageImage
              {...marks}
              page={page}
              src={imageOf(id, page.number)}
              alt={`Page ${page.number} of ${name}`}
              isLarge={isLarge}
              current={current}
              onCurrent={setCurrent}
            />
          </ScrollRegion>
        ) : null}
        <ScrollRegion
          label={
            page.words.length > 0
              ? `Text of page ${page.number}; arrows left and right go from word to word`
              : `Text of page ${page.number}`
          }
          className="page-side"
          ref={text}
          onKeyDown={onKeyDown}
        >
          {page.words.length > 0 ? (
            <PageWords {...marks} current={current} onCurrent={setCurrent} />
          ) : (
            <FlatText {...marks} />
          )}
          {page.text.trim() === '' ? <p className="muted">There is no text on this page.</p> : null}
        </ScrollRegion>
      </div>
      <PageTables page={page} />
    </>
  )
}

function hasImage(page: DocumentPage): page is DocumentPage & { readonly image: DocumentImage } {
  return page.image !== undefined
}

function PageFacts({ page, current }: { readonly page: DocumentPage; readonly current: number | undefined }) {
  const low = page.words.filter(({ confidence }) => confidence < CONFIDENCE_LOW).length
  const word = current === undefined ? undefined : page.words[current]
  const facts = [
    SOURCES[page.source],
    ...(page.words.length > 0 ? [`${page.words.length} words`] : []),
    ...(page.confidence === undefined ? [] : [`${page.confidence} % sure`]),
    ...(low > 0 ? [`${low} below ${CONFIDENCE_LOW} % are marked`] : []),
    ...(page.language === undefined ? [] : [`language ${page.language}`]),
    ...(page.turnedDegrees === 0 ? [] : [`turned by ${page.turnedDegrees}°`]),
    ...(page.straightenedDegrees === 0 ? [] : [`straightened by ${page.straightenedDegrees}°`]),
  ]
  return (
    <p className="page-facts">
      <span>{facts.join(' · ')}</span>
      <span className="word-facts">
        {word ? (
          <>
            <strong>{word.text}</strong> {word.confidence} % sure
          </>
        ) : null}
      </span>
    </p>
  )
}

const SOURCES: Readonly<Record<DocumentPage['source'], string>> = {
  'text-layer': 'Its own text',
  ocr: 'Recognised',
  text: 'Text',
}
