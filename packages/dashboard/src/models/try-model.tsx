import type { ModelQuestion } from '@headrace/client'
import type { PredictAnswer, WirePredictedOutput } from '@headrace/wire'
import { useEffect, useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { useAction } from '../data/use-action.ts'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { announce } from '../shell/announcer.tsx'
import { Refusal } from '../shell/refusal.tsx'
import { Section } from '../shell/section.tsx'
import { FileDrop } from './file-drop.tsx'
import { asksFor, exampleOf, type ModelRow, msText, refOf, shareText } from './model-rows.ts'

/** Asks one version, with a picture or with JSON, and shows what it says. */
export function TryModel(props: {
  readonly rows: readonly ModelRow[]
  readonly chosen: ModelRow
  readonly onChoose: (ref: string) => void
  readonly onAsked: () => void
}) {
  const { chosen } = props
  return (
    <Section title="Try a model">
      <div className="model-form">
        <label className="model-choice">
          Version
          <select value={refOf(chosen)} onChange={(event) => props.onChoose(event.target.value)}>
            {props.rows.map((row) => (
              <option key={refOf(row)} value={refOf(row)}>
                {row.model} {row.version}
              </option>
            ))}
          </select>
        </label>
        <Trial key={refOf(chosen)} row={chosen} onAsked={props.onAsked} />
      </div>
    </Section>
  )
}

function Trial(props: { readonly row: ModelRow; readonly onAsked: () => void }) {
  const { row } = props
  const [answer, setAnswer] = useState<PredictAnswer>()
  const { isBusy, refusal, act } = useAction()
  const ask = (question: () => ModelQuestion) =>
    act(async () => {
      const given = await headrace.models.predict(row.model, question(), { version: row.version })
      setAnswer(given)
      announce(`${row.model} has answered.`)
      props.onAsked()
    })
  return (
    <>
      {asksFor(row) === 'image' ? (
        <AskWithPicture isBusy={isBusy} onAsk={(image) => ask(() => ({ images: [image] }))} />
      ) : (
        <AskWithJson row={row} isBusy={isBusy} onAsk={(text) => ask(() => questionOf(text))} />
      )}
      {refusal ? <Refusal {...refusal} /> : null}
      {answer ? <Answer of={answer} /> : null}
    </>
  )
}

function AskWithPicture(props: { readonly isBusy: boolean; readonly onAsk: (image: Blob) => void }) {
  const [picture, setPicture] = useState<{ readonly url: string; readonly name: string }>()
  useEffect(() => () => (picture ? URL.revokeObjectURL(picture.url) : undefined), [picture])
  return (
    <FileDrop
      label="Picture"
      accept="image/*"
      onFiles={([file]) => {
        if (file === undefined) return
        setPicture({ url: URL.createObjectURL(file), name: file.name })
        props.onAsk(file)
      }}
    >
      {picture ? <img className="model-picture" src={picture.url} alt={picture.name} /> : null}
      <p className="muted">{props.isBusy ? 'Asking…' : 'It is asked as soon as you drop or choose one.'}</p>
    </FileDrop>
  )
}

function AskWithJson(props: {
  readonly row: ModelRow
  readonly isBusy: boolean
  readonly onAsk: (text: string) => void
}) {
  const [text, setText] = useState(() => exampleOf(props.row))
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        props.onAsk(text)
      }}
    >
      <label>
        Inputs, as JSON
        <textarea rows={8} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      <button type="submit" className="primary" disabled={props.isBusy}>
        {props.isBusy ? 'Asking…' : 'Ask'}
      </button>
    </form>
  )
}

function questionOf(text: string): ModelQuestion {
  try {
    return JSON.parse(text) as ModelQuestion // the server says what is wrong with it
  } catch (error) {
    throw new Error(`This is not JSON: ${(error as Error).message}.`)
  }
}

const ROWS_SHOWN = 20

function Answer({ of: { predictions, timing, version } }: { readonly of: PredictAnswer }) {
  const outputs = predictions.slice(0, ROWS_SHOWN).flatMap((prediction, at) =>
    Object.entries(prediction).map(([name, output]) => ({
      key: `${at} ${name}`,
      title: predictions.length > 1 ? `Row ${at + 1}, ${name}` : name,
      output,
    })),
  )
  return (
    <div className="model-answer">
      {outputs.map(({ key, title, output }) => (
        <Output key={key} name={title} output={output} />
      ))}
      {predictions.length > ROWS_SHOWN ? (
        <p className="muted">and {predictions.length - ROWS_SHOWN} rows more</p>
      ) : null}
      <p className="muted">
        Version {version}: waited {msText(timing.queuedMs)}, ran {msText(timing.runMs)}, {timing.batchRows}{' '}
        {timing.batchRows === 1 ? 'row' : 'rows'} in the run.
      </p>
    </div>
  )
}

function Output(props: { readonly name: string; readonly output: WirePredictedOutput }) {
  const { name, output } = props
  switch (output.kind) {
    case 'classification':
      return (
        <table className="data-table model-classes">
          <caption>{name}</caption>
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col" className="number">
                Score
              </th>
              <th scope="col">
                <span className="visually-hidden">Share</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {output.classes.map(({ label, index, score }) => (
              <tr key={index}>
                <th scope="row">{label}</th>
                <td className="number">
                  {score !== null && score >= 0 && score <= 1 ? shareText(score) : (score?.toPrecision(4) ?? 'none')}
                </td>
                <td className="model-bar-cell">
                  <span className="model-bar" style={{ width: `${Math.min(1, Math.max(0, score ?? 0)) * 100}%` }} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )
    case 'regression':
      return (
        <table className="data-table model-classes">
          <caption>{name}</caption>
          <tbody>
            {Object.entries(output.values).map(([field, value]) => (
              <tr key={field}>
                <th scope="row">{field}</th>
                <td className="number">
                  {value?.toPrecision(6) ?? 'none'} {output.unit}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )
    case 'tensor':
      return (
        <div>
          <p>
            {name} <span className="muted">[{output.shape.join(', ')}]</span>
          </p>
          <ScrollRegion label={name} className="model-tensor">
            <code>
              {output.data
                .slice(0, 200)
                .map((value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : String(value)))
                .join('  ')}
            </code>
          </ScrollRegion>
        </div>
      )
  }
}
