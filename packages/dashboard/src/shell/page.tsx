import { ProblemError } from '@headrace/client'
import { type ReactNode, useEffect, useRef } from 'react'
import type { Loadable } from '../data/loadable.ts'

/** A page's title in the tab and its first heading, which takes the focus when the reader comes from another page. */
export function PageHead(props: { readonly title: string; readonly children?: ReactNode; readonly aside?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${props.title} · Headrace`
  }, [props.title])
  useEffect(() => {
    if (headedPath !== undefined && headedPath !== location.pathname) heading.current?.focus({ preventScroll: true })
    headedPath = location.pathname
  }, [])
  return (
    <header className="page-head">
      <h1 ref={heading} tabIndex={-1}>
        {props.children ?? props.title}
      </h1>
      {props.aside}
    </header>
  )
}

/** The page that had the heading before. The first page of a visit leaves the focus where the browser puts it. */
let headedPath: string | undefined

/** Draws a loadable: a quiet line while it loads, what went wrong and a way on when it failed, else the children. */
export function Loaded<T>(props: {
  readonly of: Loadable<T>
  readonly what: string
  readonly onRetry?: () => void
  readonly children: (value: T) => ReactNode
}) {
  switch (props.of.state) {
    case 'loading':
      return <p className="loading">Loading {props.what}…</p>
    case 'failed':
      return (
        <FailedNote what={props.what} error={props.of.error} {...(props.onRetry ? { onRetry: props.onRetry } : {})} />
      )
    case 'ready':
      return props.children(props.of.value)
  }
}

export function FailedNote(props: { readonly what: string; readonly error: Error; readonly onRetry?: () => void }) {
  if (props.error instanceof ProblemError && props.error.status === 401) return <LoggedOut />
  return (
    <div className="failed-note" role="alert">
      <p>
        <strong>Could not load {props.what}.</strong> {props.error.message}
      </p>
      {props.onRetry ? (
        <button type="button" onClick={props.onRetry}>
          Try again
        </button>
      ) : null}
    </div>
  )
}

/** The server answers a reload with its login page, and comes back here afterwards. */
function LoggedOut() {
  return (
    <div className="failed-note" role="alert">
      <p>
        <strong>You are logged out.</strong> Nothing is lost; log in again to go on.
      </p>
      <button type="button" onClick={() => location.reload()}>
        Log in
      </button>
    </div>
  )
}
