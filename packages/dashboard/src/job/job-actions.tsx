import type { RetryRequest, StatusInfo } from '@headrace/wire'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { cancelJob, retryJob } from '../data/headrace.ts'
import { asError } from '../data/loadable.ts'
import { announce } from '../shell/announcer.tsx'
import { ConfirmDialog } from '../shell/dialog.tsx'
import { isEnded } from '../state/shown-state.ts'
import { hasFailedStep, RetryDialog } from './retry-dialog.tsx'

/** Cancel while it can be cancelled, retry once it has ended; what the server refused stands beside the button. */
export function JobActions(props: {
  readonly job: StatusInfo
  readonly onAnswer: (job: StatusInfo) => void
  /** Where to go with the new job; to its page when left out. */
  readonly onRetried?: (id: string) => void
}) {
  const { job } = props
  const [isAsking, setAsking] = useState(false)
  const [isChoosing, setChoosing] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<string>()
  const [, navigate] = useLocation()
  const isCancelling = job.cancelRequestedAt !== undefined

  const act = async (action: () => Promise<void>) => {
    setBusy(true)
    setRefusal(undefined)
    try {
      await action()
    } catch (thrown) {
      setRefusal(asError(thrown).message)
    } finally {
      setBusy(false)
    }
  }
  const cancel = () =>
    act(async () => {
      // Shown before the server answers: whoever pressed must see that it took.
      props.onAnswer({ ...job, cancelRequestedAt: new Date().toISOString() })
      props.onAnswer(await cancelJob(job.jobID))
    })
  const retry = (request?: RetryRequest) =>
    act(async () => {
      const next = await retryJob(job.jobID, request)
      announce('A new job was started.')
      if (props.onRetried) props.onRetried(next.id)
      else navigate(`/jobs/${next.id}`)
    })

  return (
    <div className="job-actions">
      {refusal ? (
        <span className="refusal" role="alert">
          {refusal}
        </span>
      ) : null}
      {isEnded(job) ? (
        <>
          {job.parentId === undefined ? (
            <Link href={`/processes/${encodeURIComponent(job.processID)}?from=${job.jobID}`}>Run with changes</Link>
          ) : null}
          <button type="button" disabled={isBusy} onClick={() => (hasFailedStep(job) ? setChoosing(true) : retry())}>
            Retry
          </button>
          <RetryDialog job={job} isOpen={isChoosing} onClose={() => setChoosing(false)} onRetry={retry} />
        </>
      ) : (
        <button type="button" className="danger" disabled={isBusy || isCancelling} onClick={() => setAsking(true)}>
          {isCancelling ? 'Cancelling…' : 'Cancel'}
        </button>
      )}
      <ConfirmDialog
        isOpen={isAsking}
        title="Cancel this job?"
        confirm="Cancel the job"
        onClose={() => setAsking(false)}
        onConfirm={cancel}
      >
        <p>
          <strong>{job.processID}</strong> and everything that it started will be stopped. What was done so far stays in
          its log. This cannot be undone.
        </p>
      </ConfirmDialog>
    </div>
  )
}
