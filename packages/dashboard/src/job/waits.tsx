import type { StatusInfo, WireStep } from '@headrace/wire'
import { type FormEvent, useId, useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { asError } from '../data/loadable.ts'
import { announce } from '../shell/announcer.tsx'
import { Section } from '../shell/section.tsx'
import { isEnded } from '../state/shown-state.ts'
import { RelativeTime } from '../time/time.tsx'

/** The signals that a workflow waits for, oldest wait first. */
export function signalWaits(job: StatusInfo, steps: readonly WireStep[]): readonly WireStep[] {
  if (isEnded(job)) return []
  return steps.filter((step) => step.kind === 'signal' && step.value === undefined && step.error === undefined)
}

/** What a workflow waits for from outside, each with a way to send it. */
export function Waits(props: { readonly job: StatusInfo; readonly steps: readonly WireStep[] }) {
  const waits = signalWaits(props.job, props.steps)
  if (waits.length === 0) return null
  return (
    <Section title="Waits for">
      <ul className="waits">
        {waits.map((step) => (
          <li key={step.step}>
            <p>
              signal <strong>{step.name}</strong>{' '}
              <span className="muted">
                since <RelativeTime at={step.recordedAt} />
                {step.dueAt ? (
                  <>
                    , until <RelativeTime at={step.dueAt} />
                  </>
                ) : null}
              </span>
            </p>
            <SendSignal id={props.job.jobID} name={step.name} />
          </li>
        ))}
      </ul>
    </Section>
  )
}

function SendSignal(props: { readonly id: string; readonly name: string }) {
  const field = useId()
  const [text, setText] = useState('null')
  const [isBusy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<string>()
  const send = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setRefusal(undefined)
    try {
      await headrace.job(props.id).signal(props.name, JSON.parse(text))
      announce(`Signal ${props.name} was sent.`)
    } catch (thrown) {
      setRefusal(thrown instanceof SyntaxError ? `This is not JSON: ${thrown.message}` : asError(thrown).message)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className="send-signal" onSubmit={send}>
      <label htmlFor={field}>Value, as JSON</label>
      <input id={field} value={text} spellCheck={false} onChange={(event) => setText(event.target.value)} />
      <button type="submit" disabled={isBusy}>
        Send
      </button>
      {refusal ? (
        <span className="refusal" role="alert">
          {refusal}
        </span>
      ) : null}
    </form>
  )
}
