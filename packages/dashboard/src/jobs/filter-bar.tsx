import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { getProcesses, getQueues } from '../data/headrace.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { StateIcon } from '../state/state-chip.tsx'
import { isFiltering, isWholeId, JOB_STATES, type JobFilter, type Since } from './job-filter.ts'

type Props = { readonly filter: JobFilter; readonly onChange: (filter: JobFilter) => void }

export function FilterBar(props: Props) {
  const { filter, onChange } = props
  const queues = useLoaded('queues', getQueues).loadable
  const processes = useLoaded('processes', getProcesses).loadable
  return (
    <search className="filter-bar" aria-label="Jobs">
      <StateFilter {...props} />
      <div className="filter-fields">
        <SearchField {...props} />
        <Choice
          label="Process"
          all="Any process"
          value={filter.process}
          values={processes.state === 'ready' ? processes.value.processes.map((process) => process.id) : []}
          onChange={(process) => onChange(withValue(filter, 'process', process))}
        />
        <Choice
          label="Queue"
          all="Any queue"
          value={filter.queue}
          values={queues.state === 'ready' ? queues.value.queues.map((queue) => queue.queue) : []}
          onChange={(queue) => onChange(withValue(filter, 'queue', queue))}
        />
        <TagField {...props} />
        <label className="field">
          <span className="visually-hidden">Submitted</span>
          <select
            value={filter.since ?? ''}
            onChange={(event) =>
              onChange(withValue(filter, 'since', (event.target.value || undefined) as Since | undefined))
            }
          >
            <option value="">Any time</option>
            <option value="15m">Last 15 minutes</option>
            <option value="1h">Last hour</option>
            <option value="24h">Last 24 hours</option>
            <option value="7d">Last 7 days</option>
          </select>
        </label>
        <label className="check">
          <input
            type="checkbox"
            checked={!filter.children}
            onChange={(event) => onChange({ ...filter, children: !event.target.checked })}
          />
          Top level only
        </label>
        {isFiltering(filter) ? (
          <button type="button" className="quiet" onClick={() => onChange({ children: filter.children })}>
            Clear
          </button>
        ) : null}
      </div>
    </search>
  )
}

function StateFilter({ filter, onChange }: Props) {
  return (
    <fieldset className="state-filter">
      <legend className="visually-hidden">State</legend>
      <label>
        <input
          type="radio"
          name="state"
          checked={!filter.state}
          onChange={() => onChange(withValue(filter, 'state', undefined))}
        />
        all
      </label>
      {JOB_STATES.map((state) => (
        <label key={state}>
          <input
            type="radio"
            name="state"
            checked={filter.state === state}
            onChange={() => onChange({ ...filter, state })}
          />
          <StateIcon state={state} />
          {state}
        </label>
      ))}
    </fieldset>
  )
}

/** Filters as one types; Enter on a whole id opens that job. */
function SearchField({ filter, onChange }: Props) {
  const [text, setText] = useTyped(filter.text, (typed) => onChange(withValue(filter, 'text', typed)))
  const [, navigate] = useLocation()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const id = text.trim()
    if (isWholeId(id)) navigate(`/jobs/${id.toLowerCase()}`)
  }
  return (
    <form className="field grow" onSubmit={submit}>
      <input
        type="search"
        data-search=""
        aria-label="Search by id, process, tag or input"
        placeholder="Search id, process, tag or input   ( / )"
        value={text}
        onChange={(event) => setText(event.target.value)}
        spellCheck={false}
      />
    </form>
  )
}

function TagField({ filter, onChange }: Props) {
  const [text, setText] = useTyped(filter.tag, (typed) => onChange(withValue(filter, 'tag', typed)))
  return (
    <label className="field tag-field">
      <span className="visually-hidden">Tag</span>
      <input placeholder="Tag" value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} />
    </label>
  )
}

const TYPING_MS = 250

/** What is being typed, told on once the typing pauses; follows the URL when that changes by other means. */
function useTyped(value: string | undefined, onTyped: (text: string | undefined) => void) {
  const [text, setText] = useState(value ?? '')
  const [told, setTold] = useState(value)
  // What is told goes onto the filter of that moment; other fields may have changed it since the typing began.
  const latest = useRef(onTyped)
  latest.current = onTyped
  if (told !== value) {
    setTold(value)
    setText(value ?? '')
  }
  useEffect(() => {
    const typed = text.trim() || undefined
    if (typed === told) return
    const timer = setTimeout(() => {
      setTold(typed)
      latest.current(typed)
    }, TYPING_MS)
    return () => clearTimeout(timer)
  }, [text, told])
  return [text, setText] as const
}

function Choice(props: {
  readonly label: string
  readonly all: string
  readonly value: string | undefined
  readonly values: readonly string[]
  readonly onChange: (value: string | undefined) => void
}) {
  const id = useId()
  // A value from the URL is offered even if the server no longer knows it: the filter must not lie about itself.
  const values = props.value && !props.values.includes(props.value) ? [props.value, ...props.values] : props.values
  return (
    <span className="field">
      <label htmlFor={id} className="visually-hidden">
        {props.label}
      </label>
      <select id={id} value={props.value ?? ''} onChange={(event) => props.onChange(event.target.value || undefined)}>
        <option value="">{props.all}</option>
        {values.map((value) => (
          <option key={value}>{value}</option>
        ))}
      </select>
    </span>
  )
}

function withValue<K extends keyof JobFilter>(filter: JobFilter, name: K, value: JobFilter[K] | undefined): JobFilter {
  const { [name]: _before, ...rest } = filter
  // Sound: `children`, the one required field, is never set through here to undefined.
  return (value === undefined ? rest : { ...rest, [name]: value }) as JobFilter
}
