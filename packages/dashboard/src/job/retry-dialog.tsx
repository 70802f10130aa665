import type { Json, RetryRequest, StatusInfo } from '@headrace/wire'
import { useEffect, useId, useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { asError } from '../data/loadable.ts'
import { Dialog } from '../shell/dialog.tsx'

type From = NonNullable<RetryRequest['from']>

/** Whether it can go on from the step that failed, so that there is something to choose. */
export function hasFailedStep({ kind, state }: StatusInfo): boolean {
  return kind === 'workflow' && (state === 'failed' || state === 'cancelled')
}

/** From where a workflow is tried again, and with which input. */
export function RetryDialog(props: {
  readonly job: StatusInfo
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onRetry: (request: RetryRequest) => void
}) {
  return (
    <Dialog isOpen={props.isOpen} onClose={props.onClose} title="Retry this workflow">
      <RetryForm {...props} />
    </Dialog>
  )
}

function RetryForm(props: {
  readonly job: StatusInfo
  readonly onClose: () => void
  readonly onRetry: (request: RetryRequest) => void
}) {
  const [from, setFrom] = useState<From>('failed-step')
  const [edited, setEdited] = useState<string>()
  const [flaw, setFlaw] = useState<string>()
  const inputId = useId()
  const flawId = useId()

  const submit = () => {
    const input = edited === undefined ? undefined : parse(edited)
    if (input instanceof Error) return setFlaw(`This is not JSON: ${input.message}`)
    props.onClose()
    props.onRetry(input === undefined ? { from } : { from, input })
  }

  return (
    <form
      className="retry-form"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <fieldset>
        <legend>Begin</legend>
        <Choice value="failed-step" from={from} onChoose={setFrom} label="From the step that failed">
          What was recorded before it is taken over, and not run again.
        </Choice>
        <Choice value="start" from={from} onChoose={setFrom} label="From the start">
          Everything runs again.
        </Choice>
      </fieldset>
      {edited === undefined ? (
        <ChangeInput id={props.job.jobID} onLoad={setEdited} onFailure={setFlaw} />
      ) : (
        <>
          <label htmlFor={inputId}>Input</label>
          <textarea
            id={inputId}
            rows={8}
            spellCheck={false}
            value={edited}
            aria-invalid={flaw !== undefined}
            aria-describedby={flawId}
            onChange={(event) => {
              setEdited(event.target.value)
              setFlaw(undefined)
            }}
          />
          {from === 'failed-step' ? (
            <p className="muted">Steps that are taken over keep the outcomes that they came to with the old input.</p>
          ) : null}
        </>
      )}
      <p id={flawId} className="refusal" role="alert">
        {flaw}
      </p>
      <div className="dialog-actions">
        <button type="button" onClick={props.onClose}>
          Close
        </button>
        <button type="submit" className="primary">
          Start the retry
        </button>
      </div>
    </form>
  )
}

function Choice(props: {
  readonly value: From
  readonly from: From
  readonly label: string
  readonly children: string
  readonly onChoose: (from: From) => void
}) {
  const id = useId()
  return (
    <div className="choice">
      <input
        type="radio"
        id={id}
        name="from"
        checked={props.from === props.value}
        aria-describedby={`${id}-note`}
        onChange={() => props.onChoose(props.value)}
      />
      <label htmlFor={id}>{props.label}</label>
      <p id={`${id}-note`} className="muted">
        {props.children}
      </p>
    </div>
  )
}

/** The input is read only when somebody wants to change it: it may be large. */
function ChangeInput(props: {
  readonly id: string
  readonly onLoad: (text: string) => void
  readonly onFailure: (message: string) => void
}) {
  const [isLoading, setLoading] = useState(false)
  const { id, onLoad, onFailure } = props
  useEffect(() => {
    if (!isLoading) return
    let isGone = false
    headrace
      .job(id)
      .inputs()
      .then((input) => isGone || onLoad(JSON.stringify(input, null, 2)))
      .catch((thrown) => {
        if (isGone) return
        onFailure(asError(thrown).message)
        setLoading(false)
      })
    return () => {
      isGone = true
    }
  }, [isLoading, id, onLoad, onFailure])
  return (
    <button type="button" className="quiet" disabled={isLoading} onClick={() => setLoading(true)}>
      {isLoading ? 'Reading the input…' : 'Change the input…'}
    </button>
  )
}

function parse(text: string): Json | Error {
  try {
    return JSON.parse(text) as Json // Sound: JSON.parse gives nothing else.
  } catch (error) {
    return asError(error)
  }
}
