import { type FormEvent, useId, useState } from 'react'
import { useLocation } from 'wouter'
import { headrace } from '../data/headrace.ts'
import { useAction } from '../data/use-action.ts'
import { announce } from '../shell/announcer.tsx'
import { Dialog } from '../shell/dialog.tsx'
import { Refusal } from '../shell/refusal.tsx'
import { instantOf } from './schedule-draft.ts'

type Props = { readonly name: string; readonly onClose: () => void }

/** Starts a schedule's process for each instant of a span. */
export function BackfillDialog(props: Props & { readonly isOpen: boolean }) {
  return (
    <Dialog isOpen={props.isOpen} onClose={props.onClose} title={`Fill in a span of ${props.name}`}>
      <BackfillForm {...props} />
    </Dialog>
  )
}

function BackfillForm({ name, onClose }: Props) {
  const [span, setSpan] = useState({ from: '', to: '', concurrency: '1' })
  const { isBusy, refusal, act, refuse } = useAction()
  const [, navigate] = useLocation()
  const ids = { from: useId(), to: useId(), concurrency: useId() }

  const fill = async (event: FormEvent) => {
    event.preventDefault()
    const [from, to, concurrency] = [instantOf(span.from), instantOf(span.to), Number(span.concurrency)]
    if (from === undefined || to === undefined) return refuse('Give the first instant and the last.')
    await act(async () => {
      const { jobIDs } = await headrace.schedules.backfill(name, { from, to, concurrency })
      announce(`${jobIDs.length} jobs were submitted.`)
      onClose()
      if (jobIDs.length > 0) navigate(`/jobs?tag=${encodeURIComponent(`schedule:${name}`)}`)
    })
  }

  return (
    <form className="form-grid" onSubmit={fill}>
      <p>A job for each instant of the span, whether it was fired before or not. At most 10,000.</p>
      <label htmlFor={ids.from}>From, in UTC</label>
      <input
        id={ids.from}
        type="datetime-local"
        value={span.from}
        onChange={(event) => setSpan({ ...span, from: event.target.value })}
      />
      <label htmlFor={ids.to}>Up to, in UTC</label>
      <input
        id={ids.to}
        type="datetime-local"
        value={span.to}
        onChange={(event) => setSpan({ ...span, to: event.target.value })}
      />
      <label htmlFor={ids.concurrency}>So many of them run at once</label>
      <input
        id={ids.concurrency}
        type="number"
        min={1}
        value={span.concurrency}
        onChange={(event) => setSpan({ ...span, concurrency: event.target.value })}
      />
      {refusal ? <Refusal {...refusal} /> : null}
      <div className="dialog-actions">
        <button type="button" onClick={onClose}>
          Not now
        </button>
        <button type="submit" className="primary" disabled={isBusy}>
          Fill in
        </button>
      </div>
    </form>
  )
}
