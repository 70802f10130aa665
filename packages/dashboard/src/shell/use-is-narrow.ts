import { useSyncExternalStore } from 'react'

const NARROW = matchMedia('(max-width: 52rem)')

/** Whether there is room for one column only; the same width as in the style sheets. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      NARROW.addEventListener('change', listener)
      return () => NARROW.removeEventListener('change', listener)
    },
    () => NARROW.matches,
  )
}
