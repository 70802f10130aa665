import type { WireError } from '@headrace/wire'
import { Link } from 'wouter'
import { CopyButton, JsonTree } from '../json/json-tree.tsx'
import { ScrollRegion } from '../look/scroll-region.tsx'

/** What was thrown, where, and whether another try can help; the stack folded away. */
export function ErrorPanel(props: { readonly error: WireError; readonly jobId: string }) {
  const { error } = props
  return (
    <div className="error-panel">
      <p className="error-head">
        <code>{error.code}</code>
        {error.name ? <span className="muted">{error.name}</span> : null}
        {error.retryable === false ? <span className="muted">not retryable</span> : null}
      </p>
      <p className="error-message">{error.message}</p>
      {error.origin && error.origin.jobId !== props.jobId ? (
        <p>
          Thrown in <Link href={`/jobs/${error.origin.jobId}`}>{error.origin.task}</Link>
        </p>
      ) : null}
      {error.stack ? (
        <details>
          <summary>Stack</summary>
          <ScrollRegion className="stack" label="Stack">
            <CopyButton text={() => error.stack ?? ''} what="stack" />
            <pre>{error.stack}</pre>
          </ScrollRegion>
        </details>
      ) : null}
      {error.details !== undefined && error.details !== null ? (
        <details>
          <summary>Details</summary>
          <JsonTree value={error.details} label="details" />
        </details>
      ) : null}
    </div>
  )
}
