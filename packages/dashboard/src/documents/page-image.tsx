import type { DocumentImage, DocumentPage, DocumentWord } from '@headrace/wire'
import { memo } from 'react'
import { CONFIDENCE_LOW, hitKind } from './page-text.tsx'
import type { Hit } from './search-page.ts'

/** The page's picture with a box over each word. */
export const PageImage = memo(function PageImage(props: {
  readonly page: DocumentPage & { readonly image: DocumentImage }
  readonly src: string
  readonly alt: string
  readonly isLarge: boolean
  readonly hits: readonly Hit[]
  readonly currentHit: Hit | undefined
  readonly current: number | undefined
  readonly onCurrent: (index: number | undefined) => void
}) {
  const { page, src, alt, isLarge, hits, currentHit, current, onCurrent } = props
  const { widthPx, heightPx } = page.image
  const onPointer = (target: EventTarget) => {
    const index = (target as Element).closest<SVGElement>('[data-word]')?.dataset.word
    onCurrent(index === undefined ? undefined : Number(index))
  }
  return (
    <div className="page-image" data-large={isLarge} style={{ aspectRatio: `${widthPx} / ${heightPx}` }}>
      <img src={src} alt={alt} width={widthPx} height={heightPx} />
      {/* The words are read beside it; here they are only pointed at. */}
      <svg
        viewBox={`0 0 ${widthPx} ${heightPx}`}
        aria-hidden="true"
        onPointerOver={(event) => onPointer(event.target)}
        onPointerLeave={() => onCurrent(undefined)}
      >
        {page.words.map(({ box, confidence }, index) => (
          <WordBox
            // biome-ignore lint/suspicious/noArrayIndexKey: a word is its place on the page.
            key={index}
            index={index}
            box={box}
            isLow={confidence < CONFIDENCE_LOW}
            isCurrent={index === current}
            hit={hitKind(index, hits, currentHit)}
          />
        ))}
      </svg>
    </div>
  )
})

const WordBox = memo(function WordBox(props: {
  readonly index: number
  readonly box: DocumentWord['box']
  readonly isLow: boolean
  readonly isCurrent: boolean
  readonly hit: 'one' | 'current' | undefined
}) {
  const [left, top, right, bottom] = props.box
  return (
    <rect
      data-word={props.index}
      data-low={props.isLow || undefined}
      data-current={props.isCurrent || undefined}
      data-hit={props.hit}
      x={left - 1}
      y={top - 1}
      width={Math.max(1, right - left + 2)}
      height={Math.max(1, bottom - top + 2)}
    />
  )
})
