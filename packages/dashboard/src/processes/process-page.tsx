import { ProblemError } from '@headrace/client'
import type { Json, Problem, ProcessDescription } from '@headrace/wire'
import { type FormEvent, useId, useState } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import { headrace } from '../data/headrace.ts'
import { asError } from '../data/loadable.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { JsonTree } from '../json/json-tree.tsx'
import { Loaded, PageHead } from '../shell/page.tsx'
import { Refusal } from '../shell/refusal.tsx'
import { Section } from '../shell/section.tsx'
import { exampleInputs, readInputs } from './example-input.ts'
import './processes.css'

export function ProcessPage(props: { readonly id: string }) {
  const [query] = useSearchParams()
  const from = query.get('from') ?? undefined
  const { loadable, reload } = useLoaded(`process ${props.id} ${from}`, () => loadForm(props.id, from))
  return (
    <>
      <nav className="crumbs" aria-label="Where this process belongs">
        <Link href="/processes">Processes</Link>
      </nav>
      <PageHead title={props.id} aside={<Link href={`/jobs?process=${encodeURIComponent(props.id)}`}>Its jobs</Link>} />
      <Loaded of={loadable} what="this process" onRetry={reload}>
        {({ process, inputs }) => (
          <>
            <p className="lead">{process.description ?? process.title}</p>
            <div className="process-body">
              <Section title="Run">
                <RunForm process={process} inputs={inputs} />
              </Section>
              <Section title="Inputs">
                <Inputs process={process} />
              </Section>
            </div>
          </>
        )}
      </Loaded>
    </>
  )
}

/** A process with the inputs to begin with: those of the job that is to be run with changes, else an example. */
async function loadForm(id: string, fromJob: string | undefined) {
  const [process, inputs] = await Promise.all([
    headrace.process(id),
    fromJob === undefined ? undefined : headrace.job(fromJob).inputs(),
  ])
  return { process, inputs: inputs ?? exampleInputs(process) }
}

type Run =
  | { readonly state: 'editing' }
  | { readonly state: 'sending' }
  | { readonly state: 'refused'; readonly message: string; readonly problem?: Problem }

function RunForm({ process, inputs }: { readonly process: ProcessDescription; readonly inputs: Json }) {
  const [text, setText] = useState(() => JSON.stringify(inputs, null, 2))
  const [tags, setTags] = useState('')
  const [run, setRun] = useState<Run>({ state: 'editing' })
  const [, navigate] = useLocation()
  const ids = { inputs: useId(), tags: useId(), refusal: useId() }

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const read = readInputs(text)
    if ('wrong' in read) return setRun({ state: 'refused', message: read.wrong })
    setRun({ state: 'sending' })
    try {
      const job = await headrace.submit(process.id, read.inputs, { tags: tags.split(/[\s,]+/).filter(Boolean) })
      navigate(`/jobs/${job.id}`)
    } catch (thrown) {
      setRun({
        state: 'refused',
        message: asError(thrown).message,
        ...(thrown instanceof ProblemError ? { problem: thrown.problem } : {}),
      })
    }
  }

  return (
    <form className="run-form" onSubmit={submit}>
      <label htmlFor={ids.inputs}>Inputs, as JSON</label>
      <textarea
        id={ids.inputs}
        value={text}
        rows={14}
        spellCheck={false}
        aria-invalid={run.state === 'refused'}
        aria-describedby={run.state === 'refused' ? ids.refusal : undefined}
        onChange={(event) => {
          setText(event.target.value)
          setRun({ state: 'editing' })
        }}
      />
      {run.state === 'refused' ? <Refusal id={ids.refusal} message={run.message} problem={run.problem} /> : null}
      <label htmlFor={ids.tags}>Tags, separated by commas</label>
      <input id={ids.tags} value={tags} onChange={(event) => setTags(event.target.value)} />
      <button type="submit" className="primary" disabled={run.state === 'sending'}>
        {run.state === 'sending' ? 'Sending…' : 'Run'}
      </button>
    </form>
  )
}

function Inputs({ process }: { readonly process: ProcessDescription }) {
  const inputs = Object.entries(process.inputs)
  if (inputs.length === 0) return <p className="muted">It takes no inputs.</p>
  return (
    <>
      <dl className="input-list">
        {inputs.map(([name, input]) => (
          <div key={name}>
            <dt>
              <code>{name}</code> <span className="muted">{input.minOccurs > 0 ? 'required' : 'optional'}</span>
            </dt>
            <dd>
              {input.title && input.title !== name ? <p>{input.title}</p> : null}
              {input.description ? <p className="muted">{input.description}</p> : null}
              <JsonTree value={input.schema} label={`schema of ${name}`} openDepth={1} />
            </dd>
          </div>
        ))}
      </dl>
      <h3>Outputs</h3>
      <JsonTree value={process.outputs as Json} label="outputs" openDepth={1} />
    </>
  )
}
