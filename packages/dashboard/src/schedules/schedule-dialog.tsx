import type { WireSchedule } from '@headrace/wire'
import { type FormEvent, useId, useState } from 'react'
import { getProcesses, headrace } from '../data/headrace.ts'
import { useAction } from '../data/use-action.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { exampleInputs } from '../processes/example-input.ts'
import { announce } from '../shell/announcer.tsx'
import { Dialog } from '../shell/dialog.tsx'
import { Refusal } from '../shell/refusal.tsx'
import { draftOf, NEW_SCHEDULE, readDraft, type ScheduleDraft } from './schedule-draft.ts'

type Props = {
  /** The one that is changed; a new one when left out. */
  readonly schedule?: WireSchedule
  readonly onClose: () => void
  readonly onStored: () => void
}

export function ScheduleDialog(props: Props & { readonly isOpen: boolean }) {
  const title = props.schedule ? `Edit the schedule ${props.schedule.name}` : 'New schedule'
  return (
    <Dialog isOpen={props.isOpen} onClose={props.onClose} title={title}>
      <ScheduleForm {...props} />
    </Dialog>
  )
}

const OVERLAPS: Readonly<Record<ScheduleDraft['overlap'], string>> = {
  skip: 'skip the new run',
  'buffer-one': 'let one run wait for it',
  allow: 'run beside it',
  'cancel-running': 'cancel it',
}

const CATCH_UPS: Readonly<Record<ScheduleDraft['catchUp'], string>> = {
  none: 'pass them over',
  one: 'run the latest of them',
  all: 'run each of them',
}

function ScheduleForm({ schedule, onClose, onStored }: Props) {
  const [draft, setDraft] = useState(() => (schedule ? draftOf(schedule) : NEW_SCHEDULE))
  const { isBusy, refusal, act, refuse } = useAction()
  const ids = { name: useId(), process: useId(), inputs: useId(), cron: useId(), zone: useId(), zones: useId() }
  const set = (change: Partial<ScheduleDraft>) => setDraft({ ...draft, ...change })

  const choose = async (process: string) => {
    set({ process })
    const described = process === '' ? undefined : await headrace.process(process).catch(() => undefined)
    if (described) setDraft((now) => ({ ...now, inputs: JSON.stringify(exampleInputs(described), null, 2) }))
  }
  const store = async (event: FormEvent) => {
    event.preventDefault()
    const read = readDraft(draft, schedule)
    if ('wrong' in read) return refuse(read.wrong)
    if (!(await act(() => headrace.schedules.put(draft.name.trim(), read.options)))) return
    announce(`Schedule ${draft.name} is stored.`)
    onStored()
    onClose()
  }

  return (
    <form className="form-grid" onSubmit={store}>
      {schedule ? null : (
        <>
          <label htmlFor={ids.name}>Name</label>
          <input id={ids.name} value={draft.name} onChange={(event) => set({ name: event.target.value })} />
        </>
      )}
      <label htmlFor={ids.process}>Process</label>
      <ProcessChoice id={ids.process} value={draft.process} onChange={choose} />
      <label htmlFor={ids.inputs}>Inputs, as JSON</label>
      <textarea
        id={ids.inputs}
        rows={4}
        spellCheck={false}
        value={draft.inputs}
        onChange={(event) => set({ inputs: event.target.value })}
      />
      <label htmlFor={ids.cron}>Cron: minute, hour, day of month, month, day of week</label>
      <input
        id={ids.cron}
        spellCheck={false}
        value={draft.cron}
        onChange={(event) => set({ cron: event.target.value })}
      />
      <label htmlFor={ids.zone}>Time zone</label>
      <input
        id={ids.zone}
        list={ids.zones}
        value={draft.timeZone}
        onChange={(event) => set({ timeZone: event.target.value })}
      />
      <datalist id={ids.zones}>
        {Intl.supportedValuesOf('timeZone').map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      <Choice
        label="When the last run is still at it"
        words={OVERLAPS}
        value={draft.overlap}
        onChange={(overlap) => set({ overlap })}
      />
      <Choice
        label="Of instants that were missed"
        words={CATCH_UPS}
        value={draft.catchUp}
        onChange={(catchUp) => set({ catchUp })}
      />
      {refusal ? <Refusal {...refusal} /> : null}
      <div className="dialog-actions">
        <button type="button" onClick={onClose}>
          {schedule ? 'Leave as it is' : 'Not now'}
        </button>
        <button type="submit" className="primary" disabled={isBusy}>
          Store
        </button>
      </div>
    </form>
  )
}

function ProcessChoice(props: {
  readonly id: string
  readonly value: string
  readonly onChange: (process: string) => void
}) {
  const { loadable } = useLoaded('processes', getProcesses)
  const known = loadable.state === 'ready' ? loadable.value.processes.map(({ id }) => id) : []
  const all = props.value === '' || known.includes(props.value) ? known : [props.value, ...known]
  return (
    <select id={props.id} value={props.value} onChange={(event) => props.onChange(event.target.value)}>
      <option value="">choose one</option>
      {all.map((process) => (
        <option key={process}>{process}</option>
      ))}
    </select>
  )
}

function Choice<Value extends string>(props: {
  readonly label: string
  readonly words: Readonly<Record<Value, string>>
  readonly value: Value
  readonly onChange: (value: Value) => void
}) {
  const id = useId()
  return (
    <>
      <label htmlFor={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.onChange(event.target.value as Value)}>
        {/* Sound: the options are the keys. */}
        {(Object.keys(props.words) as Value[]).map((value) => (
          <option key={value} value={value}>
            {props.words[value]}
          </option>
        ))}
      </select>
    </>
  )
}
