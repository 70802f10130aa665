import type { Json } from '@headrace/wire'
import { useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { useAction } from '../data/use-action.ts'
import { announce } from '../shell/announcer.tsx'
import { Refusal } from '../shell/refusal.tsx'
import { Section } from '../shell/section.tsx'
import { FileDrop } from './file-drop.tsx'

/** Deploys a model by its files, dropped together or one after the other. */
export function AddModel(props: { readonly onAdded: (added: { model: string; version: string }) => void }) {
  const [model, setModel] = useState<File>()
  const [manifest, setManifest] = useState<File>()
  const [weights, setWeights] = useState<File>()
  const { isBusy, refusal, act, refuse } = useAction()
  const take = (files: readonly File[]) => {
    for (const file of files) {
      if (file.name.endsWith('.json')) setManifest(file)
      else if (file.name.endsWith('.safetensors')) setWeights(file)
      else setModel(file)
    }
  }
  const add = () =>
    act(async () => {
      if (model === undefined || manifest === undefined) return
      const added = await headrace.models.add({ file: model, manifest: await readManifest(manifest), weights })
      announce(`Version ${added.version} of ${added.name} is deployed.`)
      setModel(undefined)
      setManifest(undefined)
      setWeights(undefined)
      props.onAdded({ model: added.name, version: added.version })
    })
  return (
    <Section title="Deploy a model">
      <p className="lead">
        An <code>.onnx</code> file and its manifest, a <code>.json</code> file with the inputs, outputs and labels; and
        the <code>.safetensors</code> file, if the manifest names weights. It is checked, loaded and run once before
        anybody can ask it.
      </p>
      <form
        className="model-form"
        onSubmit={(event) => {
          event.preventDefault()
          if (model === undefined) refuse('There is no model yet. Drop or choose an .onnx file.')
          else if (manifest === undefined) refuse('There is no manifest yet. Drop or choose the .json file beside it.')
          else void add()
        }}
      >
        <FileDrop
          label="Model, manifest and weights"
          accept=".onnx,.json,.safetensors,application/json"
          isMultiple
          onFiles={take}
        >
          <p className="muted">
            {model ? sizedName(model) : 'no model yet'}
            {' · '}
            {manifest ? manifest.name : 'no manifest yet'}
            {weights ? (
              <>
                {` · ${sizedName(weights)} `}
                <button type="button" onClick={() => setWeights(undefined)}>
                  Without weights
                </button>
              </>
            ) : null}
          </p>
        </FileDrop>
        {refusal ? <Refusal {...refusal} /> : null}
        <button type="submit" className="primary" disabled={isBusy}>
          {isBusy ? 'Checking and loading…' : 'Deploy'}
        </button>
      </form>
    </Section>
  )
}

function sizedName({ name, size }: File): string {
  return `${name}, ${(size / 1e6).toFixed(1)} MB`
}

async function readManifest(file: File): Promise<Json> {
  try {
    return JSON.parse(await file.text()) as Json // sound: JSON.parse gives nothing else
  } catch (error) {
    throw new Error(`${file.name} is not JSON: ${(error as Error).message}.`)
  }
}
