import { useSyncExternalStore } from 'react'

// What a sighted reader notices on the page, said once for those who hear it.
let said = ''
const listeners = new Set<() => void>()

export function announce(message: string) {
  // The same sentence twice would not be read again; a no-break space makes it another one.
  said = message === said ? `${message}\u00a0` : message
  for (const listener of listeners) listener()
}

export function Announcer() {
  const message = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => said,
  )
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {message}
    </div>
  )
}
