import type { DocumentListed } from '@headrace/wire'
import { Link } from 'wouter'
import { StateChip } from '../state/state-chip.tsx'
import { RelativeTime } from '../time/time.tsx'
import { Bar } from './bar.tsx'
import { isEndedState } from './batch.ts'

/** @param name of the file, where this page sent it: the server learns it when it begins to read */
export function DocumentRow({
  document,
  name,
}: {
  readonly document: DocumentListed
  readonly name?: string | undefined
}) {
  const { jobID, state, progress, message, error, created } = document
  const shown = name ?? document.name
  return (
    <li className="document-row">
      <Link href={`/documents/${jobID}`} className="document-name">
        {shown}
      </Link>
      <StateChip state={state} />
      {isEndedState(state) ? (
        <span className="muted">
          <RelativeTime at={created} />
        </span>
      ) : (
        <Bar label={`Reading ${shown}`} fraction={progress} state="running" />
      )}
      {error ? <span className="row-error">{error.message}</span> : null}
      {isEndedState(state) ? null : <span className="muted">{message}</span>}
    </li>
  )
}
