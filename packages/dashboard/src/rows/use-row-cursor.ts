import type { Virtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useCallback, useEffect, useId, useState } from 'react'

export type RowCursor = {
  readonly current: number
  readonly setCurrent: (index: number) => void
  readonly rowId: (index: number) => string
  /** Moves on j, k, arrows, Home, End, Page Up and Page Down. True when the key was one of them. */
  readonly onKeyDown: (event: KeyboardEvent) => boolean
  readonly move: (by: number) => void
  /** Follows the current row when rows came before it. */
  readonly shift: (by: number) => void
}

/**
 * One tab stop for a long virtual table: the table holds the focus and names its current row by `aria-activedescendant`,
 * so that rows may come and go from the document while the reader moves.
 */
export function useRowCursor(
  count: number,
  virtualizer: Pick<Virtualizer<HTMLDivElement, Element>, 'scrollToIndex'>,
): RowCursor {
  const prefix = useId()
  const [current, setCurrent] = useState(0)

  useEffect(() => {
    if (current >= count && count > 0) setCurrent(count - 1)
  }, [current, count])

  const shift = useCallback((by: number) => setCurrent((index) => index + by), [])
  const moveTo = (index: number) => {
    if (count === 0) return
    const next = Math.min(count - 1, Math.max(0, index))
    setCurrent(next)
    virtualizer.scrollToIndex(next)
  }
  return {
    current,
    setCurrent,
    rowId: (index) => `${prefix}row${index}`,
    move: (by) => moveTo(current + by),
    shift,
    onKeyDown(event) {
      const target = rowAfterKey(event.key, current, count)
      if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return false
      event.preventDefault()
      moveTo(target)
      return true
    },
  }
}

const PAGE_ROWS = 15

export function rowAfterKey(key: string, current: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return current + 1
    case 'ArrowUp':
    case 'k':
      return current - 1
    case 'PageDown':
      return current + PAGE_ROWS
    case 'PageUp':
      return current - PAGE_ROWS
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return undefined
  }
}
