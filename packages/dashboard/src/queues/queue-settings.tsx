import type { WireQueue } from '@headrace/wire'
import { type FormEvent, useId, useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { useAction } from '../data/use-action.ts'
import { announce } from '../shell/announcer.tsx'
import { Dialog } from '../shell/dialog.tsx'
import { Refusal } from '../shell/refusal.tsx'
import { duration } from '../time/instant.ts'
import { draftOf, RATE_UNITS, readDraft } from './queues.ts'

type Props = { readonly queue: WireQueue; readonly onClose: () => void; readonly onChanged: () => void }

/** How fast a queue begins its jobs, and whether its owners take turns. */
export function QueueSettings(props: Props & { readonly isOpen: boolean }) {
  return (
    <Dialog isOpen={props.isOpen} onClose={props.onClose} title={`Settings of the queue ${props.queue.queue}`}>
      <SettingsForm {...props} />
    </Dialog>
  )
}

function SettingsForm({ queue, onClose, onChanged }: Props) {
  // What it was when the form was opened: a look that comes meanwhile must not change what somebody types.
  const [draft, setDraft] = useState(() => draftOf(queue))
  const { isBusy, refusal, act, refuse } = useAction()
  const ids = { count: useId(), unit: useId(), shares: useId() }

  const save = async (event: FormEvent) => {
    event.preventDefault()
    const read = readDraft(draft)
    if ('wrong' in read) return refuse(read.wrong)
    if (!(await act(() => headrace.configureQueue(queue.queue, read.patch)))) return
    announce(`The settings of ${queue.queue} are stored.`)
    onChanged()
    onClose()
  }

  return (
    <form className="form-grid" onSubmit={save}>
      <label htmlFor={ids.count}>At most so many jobs are begun; empty for no rate</label>
      <div className="together">
        <input
          id={ids.count}
          inputMode="numeric"
          size={8}
          value={draft.count}
          onChange={(event) => setDraft({ ...draft, count: event.target.value })}
        />
        <label htmlFor={ids.unit}>per</label>
        <select
          id={ids.unit}
          value={draft.perMs}
          onChange={(event) => setDraft({ ...draft, perMs: Number(event.target.value) })}
        >
          {RATE_UNITS.map(({ name, ms }) => (
            <option key={ms} value={ms}>
              {name}
            </option>
          ))}
          {RATE_UNITS.some(({ ms }) => ms === draft.perMs) ? null : (
            <option value={draft.perMs}>{duration(draft.perMs)}</option>
          )}
        </select>
      </div>
      <label className="check">
        <input
          type="checkbox"
          checked={draft.fair}
          onChange={(event) => setDraft({ ...draft, fair: event.target.checked })}
        />
        Owners take turns, however many jobs each has in line
      </label>
      <label htmlFor={ids.shares}>Weights of owners, one a line; 1 for all others</label>
      <textarea
        id={ids.shares}
        rows={3}
        placeholder="ada = 2"
        spellCheck={false}
        value={draft.shares}
        onChange={(event) => setDraft({ ...draft, shares: event.target.value })}
      />
      {refusal ? <Refusal {...refusal} /> : null}
      <div className="dialog-actions">
        <button type="button" onClick={onClose}>
          Leave as it is
        </button>
        <button type="submit" className="primary" disabled={isBusy}>
          Store
        </button>
      </div>
    </form>
  )
}
