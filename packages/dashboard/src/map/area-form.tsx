import type { Json, Problem, ProcessSummary, WireLayer } from '@headrace/wire'
import { type FormEvent, useId, useState } from 'react'
import { rectangle } from '../plan/geometry.ts'
import { Refusal } from '../shell/refusal.tsx'
import { type AreaDraft, readBox } from './area-draft.ts'
import type { DrawingShape } from './drawing.ts'

export type Submission =
  | { readonly state: 'editing' }
  | { readonly state: 'sending' }
  | { readonly state: 'refused'; readonly message: string; readonly problem?: Problem }

/** Everything that is needed to ask for an analysis; drawing is one of four ways to give the area. */
export function AreaForm(props: {
  readonly text: string
  readonly draft: AreaDraft
  readonly drawing: DrawingShape | undefined
  readonly canDraw: boolean
  readonly submission: Submission
  readonly processes: readonly Pick<ProcessSummary, 'id' | 'title'>[]
  readonly process: string
  readonly layers: readonly WireLayer[]
  readonly layer: string | undefined
  readonly onText: (text: string) => void
  readonly onArea: (area: Json) => void
  readonly onDrawing: (shape: DrawingShape | undefined) => void
  readonly onSample: () => void
  readonly onProcess: (process: string) => void
  readonly onLayer: (layer: string | undefined) => void
  readonly onSubmit: () => void
}) {
  const { draft, drawing, submission } = props
  const ids = { text: useId(), trouble: useId(), layer: useId() }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    props.onSubmit()
  }
  const isWrong = draft.state === 'wrong' || submission.state === 'refused'
  return (
    <form className="area-form" onSubmit={submit}>
      <fieldset>
        <legend>Area</legend>
        <div className="area-ways">
          {props.canDraw
            ? SHAPES.map((shape) => (
                <button
                  type="button"
                  key={shape}
                  aria-pressed={drawing === shape}
                  onClick={() => props.onDrawing(drawing === shape ? undefined : shape)}
                >
                  {shape === 'polygon' ? 'Draw polygon' : 'Draw rectangle'}
                </button>
              ))
            : null}
          <button type="button" onClick={props.onSample}>
            Sample area
          </button>
        </div>
        {drawing ? <p className="hint">{HINTS[drawing]}</p> : null}
        <BoxFields onArea={props.onArea} />
        <label htmlFor={ids.text}>GeoJSON</label>
        <textarea
          id={ids.text}
          rows={4}
          spellCheck={false}
          value={props.text}
          placeholder="Paste a Polygon, a MultiPolygon, or a Feature of one"
          aria-invalid={isWrong}
          aria-describedby={isWrong ? ids.trouble : undefined}
          onChange={(event) => props.onText(event.target.value)}
        />
        {draft.state === 'wrong' ? (
          <p className="refusal" id={ids.trouble}>
            {draft.why}
          </p>
        ) : submission.state === 'refused' ? (
          <Refusal id={ids.trouble} message={submission.message} problem={submission.problem} />
        ) : null}
      </fieldset>
      <fieldset className="process-choice">
        <legend>Analysis</legend>
        {props.processes.map((process) => (
          <label key={process.id} className="check">
            <input
              type="radio"
              name="process"
              checked={props.process === process.id}
              onChange={() => props.onProcess(process.id)}
            />
            {process.title}
          </label>
        ))}
      </fieldset>
      {props.layers.length > 1 ? (
        <p className="layer-choice">
          <label htmlFor={ids.layer}>On the layer</label>
          <select
            id={ids.layer}
            value={props.layer ?? ''}
            onChange={(event) => props.onLayer(event.target.value || undefined)}
          >
            <option value="">the analysis’s own</option>
            {props.layers.map((layer) => (
              <option key={layer.name} value={layer.name}>
                {layer.title}
              </option>
            ))}
          </select>
        </p>
      ) : null}
      <button type="submit" className="primary" disabled={draft.state !== 'ready' || submission.state === 'sending'}>
        {submission.state === 'sending' ? 'Sending…' : 'Analyse'}
      </button>
    </form>
  )
}

const SHAPES: readonly DrawingShape[] = ['polygon', 'rectangle']
const HINTS: Readonly<Record<DrawingShape, string>> = {
  polygon:
    'Click on the map for each corner; click on the first or the last one, or press Enter, to finish. Escape starts over.',
  rectangle: 'Click on the map for one corner, then for the opposite one. Escape starts over.',
}

const EDGES = ['West', 'South', 'East', 'North'] as const

/** The way to an area without a pointer and without GeoJSON: four numbers. */
function BoxFields(props: { readonly onArea: (area: Json) => void }) {
  const [edges, setEdges] = useState<readonly [string, string, string, string]>(['', '', '', ''])
  const [wrong, setWrong] = useState<string>()
  const id = useId()
  const use = () => {
    const box = readBox(edges)
    if ('wrong' in box) return setWrong(box.wrong)
    setWrong(undefined)
    props.onArea(rectangle(box))
  }
  return (
    <details className="box-fields">
      <summary>Give a rectangle by its edges</summary>
      <div>
        {EDGES.map((edge, index) => (
          <label key={edge}>
            {edge}
            <input
              inputMode="decimal"
              value={edges[index]}
              aria-describedby={wrong ? id : undefined}
              onChange={(event) => {
                const next: [string, string, string, string] = [...edges]
                next[index] = event.target.value
                setEdges(next)
              }}
            />
          </label>
        ))}
        <button type="button" onClick={use}>
          Use it
        </button>
      </div>
      {wrong ? (
        <p className="refusal" id={id} role="alert">
          {wrong}
        </p>
      ) : null}
    </details>
  )
}
