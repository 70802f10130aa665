import type { StatusInfo } from '@headrace/wire'
import { useState } from 'react'
import { cancelJob, retryJob } from '../data/headrace.ts'
import { announce } from '../shell/announcer.tsx'
import { ConfirmDialog } from '../shell/dialog.tsx'
import { isEnded } from '../state/shown-state.ts'

/** What can be done with the selected jobs at once, and how it went. */
export function BulkBar(props: {
  readonly jobs: readonly StatusInfo[]
  readonly selected: ReadonlySet<string>
  readonly onClear: () => void
}) {
  const [isAsking, setAsking] = useState(false)
  const [outcome, setOutcome] = useState<string>()
  const chosen = props.jobs.filter((job) => props.selected.has(job.jobID))
  const active = chosen.filter((job) => !isEnded(job))
  const ended = chosen.filter(isEnded)

  const run = async (verb: string, jobs: readonly StatusInfo[], act: (id: string) => Promise<unknown>) => {
    setOutcome(`${verb} 0 of ${jobs.length}…`)
    const failures = await forEachSome(
      jobs,
      (job) => act(job.jobID),
      (done) => setOutcome(`${verb} ${done} of ${jobs.length}…`),
    )
    const said = `${verb} ${jobs.length - failures.length} of ${jobs.length}.${failures[0] ? ` First refusal: ${failures[0].message}` : ''}`
    setOutcome(said)
    announce(said)
    props.onClear()
  }

  if (chosen.length === 0 && outcome === undefined) return null
  return (
    <section className="bulk-bar" aria-label="Selected jobs">
      {chosen.length === 0 ? (
        <span>{outcome}</span>
      ) : (
        <>
          <strong>{chosen.length} selected</strong>
          <button type="button" className="danger" disabled={active.length === 0} onClick={() => setAsking(true)}>
            Cancel {active.length || ''}
          </button>
          <button
            type="button"
            disabled={ended.length === 0}
            onClick={() => run('Retried', ended, (id) => retryJob(id))}
          >
            Retry {ended.length || ''}
          </button>
          <span className="muted">{outcome}</span>
        </>
      )}
      <button
        type="button"
        className="quiet"
        onClick={() => {
          setOutcome(undefined)
          props.onClear()
        }}
      >
        {chosen.length === 0 ? 'Dismiss' : 'Clear selection'}
      </button>
      <ConfirmDialog
        isOpen={isAsking}
        title={`Cancel ${active.length} ${active.length === 1 ? 'job' : 'jobs'}?`}
        confirm={active.length === 1 ? 'Cancel the job' : `Cancel ${active.length} jobs`}
        onClose={() => setAsking(false)}
        onConfirm={() => run('Cancelled', active, cancelJob)}
      >
        <p>
          What waits ends at once; what runs is asked to stop, with everything that it started. This cannot be undone.
        </p>
      </ConfirmDialog>
    </section>
  )
}

const AT_ONCE = 6

/** Acts on each, a few at a time; gives the errors. */
async function forEachSome<T>(items: readonly T[], act: (item: T) => Promise<unknown>, onDone: (done: number) => void) {
  const failures: Error[] = []
  const rest = items.values()
  let done = 0
  const lane = async () => {
    for (const item of rest) {
      await act(item).catch((error: Error) => failures.push(error))
      onDone(++done)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return failures
}
