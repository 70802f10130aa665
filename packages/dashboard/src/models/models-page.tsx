import { useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { useAction } from '../data/use-action.ts'
import { LOOK_EVERY_MS, useEvery } from '../data/use-every.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { useMay } from '../data/use-may.ts'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { announce } from '../shell/announcer.tsx'
import { ConfirmDialog } from '../shell/dialog.tsx'
import { Loaded, PageHead } from '../shell/page.tsx'
import { Refusal } from '../shell/refusal.tsx'
import { Section } from '../shell/section.tsx'
import { AddModel } from './add-model.tsx'
import { type ModelRow, msText, refOf, rowsOf } from './model-rows.ts'
import { TryModel } from './try-model.tsx'
import './models.css'

/** Which models are deployed, how they do, and what they say. */
export function ModelsPage() {
  const { loadable, reload } = useLoaded('models', async () => rowsOf(await headrace.models.list()))
  const [chosen, setChosen] = useState<string>()
  const mayOperate = useMay('operate')
  const maySubmit = useMay('submit')
  useEvery(LOOK_EVERY_MS, reload)
  return (
    <>
      <PageHead title="Models" />
      <Section title="Deployed models">
        <Loaded of={loadable} what="the models" onRetry={reload}>
          {(rows) => <Models rows={rows} mayOperate={mayOperate} onChanged={reload} />}
        </Loaded>
      </Section>
      {maySubmit && loadable.state === 'ready' && loadable.value[0] ? (
        <TryModel
          rows={loadable.value}
          chosen={loadable.value.find((row) => refOf(row) === chosen) ?? loadable.value[0]}
          onChoose={setChosen}
          onAsked={reload}
        />
      ) : null}
      {mayOperate ? (
        <AddModel
          onAdded={(added) => {
            setChosen(refOf(added))
            reload()
          }}
        />
      ) : null}
    </>
  )
}

type Actions = { readonly mayOperate: boolean; readonly onChanged: () => void }

function Models(props: Actions & { readonly rows: readonly ModelRow[] }) {
  if (props.rows.length === 0) return <p className="muted">No model is deployed yet.</p>
  return (
    <>
      <ScrollRegion className="table-scroll" label="Models">
        <table className="data-table">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Version</th>
              <th scope="col">State</th>
              {props.mayOperate ? <th scope="col">Change</th> : null}
              <NumberHead>Requests</NumberHead>
              <NumberHead>Latency</NumberHead>
              <NumberHead>Batch</NumberHead>
              <NumberHead>Waiting</NumberHead>
              <NumberHead>Turned away</NumberHead>
            </tr>
          </thead>
          <tbody>
            {props.rows.map((row) => (
              <Row key={refOf(row)} row={row} {...props} />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      <p className="muted">
        Of this server’s process since it loaded the version. Latency: the median, and behind it what 99 of 100 of the
        newest requests kept to. Batch: rows in a run, on average, of as many as it may have. Turned away: for a full
        queue, or a deadline.
      </p>
    </>
  )
}

function NumberHead(props: { readonly children: string }) {
  return (
    <th scope="col" className="number">
      {props.children}
    </th>
  )
}

function Row(props: Actions & { readonly row: ModelRow }) {
  const { row } = props
  const { figures, limits } = row
  return (
    <tr>
      <th scope="row">
        {row.model}
        {row.title ? <p className="model-title muted">{row.title}</p> : null}
      </th>
      <td className="no-wrap model-version">
        {row.version} {row.isDefault ? <span className="tag">default</span> : null}
      </td>
      <td>
        <span className="going-chip" data-going={row.state === 'loaded' ? undefined : 'held'}>
          {row.state}
        </span>
      </td>
      {props.mayOperate ? (
        <td>
          <RowActions row={row} onChanged={props.onChanged} />
        </td>
      ) : null}
      <td className="number">{figures?.requests.toLocaleString()}</td>
      <td className="number no-wrap">
        {figures?.latencyMs ? (
          <>
            {msText(figures.latencyMs.p50)} <span className="muted">{msText(figures.latencyMs.p99)}</span>
          </>
        ) : null}
      </td>
      <td className="number no-wrap">
        {figures?.batchRowsMean === null || figures === undefined ? null : (
          <>
            {figures.batchRowsMean.toFixed(1)} <span className="muted">of {limits.maxBatch}</span>
          </>
        )}
      </td>
      <td className="number">{figures?.queuedRows.toLocaleString()}</td>
      <td className="number">{figures ? (figures.refused + figures.tooLate).toLocaleString() : null}</td>
    </tr>
  )
}

function RowActions(props: { readonly row: ModelRow; readonly onChanged: () => void }) {
  const { model, version, isDefault } = props.row
  const [isAsking, setAsking] = useState(false)
  const { isBusy, refusal, act } = useAction()
  const change = (said: string, action: () => Promise<unknown>) =>
    act(async () => {
      await action()
      announce(said)
      props.onChanged()
    })
  return (
    <div className="row-actions">
      {refusal ? <Refusal {...refusal} /> : null}
      {isDefault ? null : (
        <button
          type="button"
          className="small"
          disabled={isBusy}
          aria-label={`Make version ${version} the default of ${model}`}
          onClick={() =>
            change(`Version ${version} of ${model} answers now.`, () => headrace.models.setDefault(model, version))
          }
        >
          Make default
        </button>
      )}
      <button
        type="button"
        className="small"
        disabled={isBusy}
        aria-label={`Remove version ${version} of ${model}`}
        onClick={() => setAsking(true)}
      >
        Remove
      </button>
      <ConfirmDialog
        isOpen={isAsking}
        title={`Remove version ${version} of ${model}?`}
        confirm="Remove it"
        onClose={() => setAsking(false)}
        onConfirm={() =>
          change(`Version ${version} of ${model} is removed.`, () => headrace.models.remove(model, version))
        }
      >
        <p>What it has taken on is still answered. Who asks for it afterwards is told that there is none.</p>
      </ConfirmDialog>
    </div>
  )
}
