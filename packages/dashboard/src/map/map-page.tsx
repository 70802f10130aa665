import { ProblemError } from '@headrace/client'
import type { Json, WireLayer } from '@headrace/wire'
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useSearchParams } from 'wouter'
import { getSampleArea, headrace } from '../data/headrace.ts'
import { asError } from '../data/loadable.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { areaIn, type BboxLonLat } from '../plan/geometry.ts'
import { PlanView } from '../plan/plan-view.tsx'
import { announce } from '../shell/announcer.tsx'
import { PageHead } from '../shell/page.tsx'
import { Section } from '../shell/section.tsx'
import { AnalysisView } from './analysis-view.tsx'
import { areaText, bboxOfDraft, readArea } from './area-draft.ts'
import { AreaForm, type Submission } from './area-form.tsx'
import type { DrawingShape } from './drawing.ts'
import { LayerPanel } from './layer-panel.tsx'
import type { ShownLayer } from './map-style.ts'
import { suitableLayers } from './suitable-layers.ts'
import { useAnalysis } from './use-analysis.ts'
import { hasWebGl } from './webgl.ts'
import './map.css'

const MapCanvas = lazy(() => import('./map-canvas.tsx'))
const NO_LAYERS: readonly WireLayer[] = []
const ANALYSES = [
  { id: 'watershed.analyze-land', title: 'Land cover' },
  { id: 'watershed.analyze-soil', title: 'Soil' },
] as const

export default function MapPage() {
  const [query, setQuery] = useSearchParams()
  const jobId = query.get('job') ?? undefined
  const canDraw = useMemo(hasWebGl, [])
  const analysis = useAnalysis(jobId)
  const layerList = useLoaded('layers', () => headrace.layers()).loadable
  const layers = layerList.state === 'ready' ? layerList.value : NO_LAYERS
  const [shownLayers, changeLayer] = useShownLayers(layers)
  const area = useArea(jobId)
  const processes = useAnalyses()
  const [process, setProcess] = useState<string>(ANALYSES[0].id)
  const [layer, setLayer] = useState<string>()
  const [submission, setSubmission] = useState<Submission>({ state: 'editing' })
  const [drawing, setDrawing] = useState<DrawingShape>()

  const result = useRef<HTMLDivElement>(null)

  const takeText = (text: string) => {
    setSubmission({ state: 'editing' })
    area.setText(text)
  }
  const takeArea = (taken: Json) => {
    takeText(areaText(taken))
    announce('The area is set.')
  }
  const takeSample = () =>
    getSampleArea().then(
      (sample) => {
        takeArea(sample)
        area.look()
      },
      (thrown) => setSubmission({ state: 'refused', message: asError(thrown).message }),
    )
  const chooseProcess = (chosen: string) => {
    setProcess(chosen)
    setLayer(undefined)
    const first = suitableLayers(chosen, layers)[0]
    if (first) for (const one of layers) changeLayer(one.name, { isShown: one === first })
  }
  const submit = async () => {
    if (area.draft.state !== 'ready') return
    setSubmission({ state: 'sending' })
    try {
      const job = await headrace.submit(
        process,
        { area: area.draft.area, ...(layer ? { layer } : {}) },
        { tags: ['map'] },
      )
      setSubmission({ state: 'editing' })
      announce('The analysis was submitted.')
      // A reload goes on from the URL; going back gives the analysis before.
      setQuery({ job: job.id })
      result.current?.scrollIntoView({ block: 'nearest' })
    } catch (thrown) {
      const problem = thrown instanceof ProblemError ? { problem: thrown.problem } : {}
      setSubmission({ state: 'refused', message: asError(thrown).message, ...problem })
    }
  }

  const rings = area.draft.state === 'ready' ? area.draft.rings : undefined
  return (
    <div className="map-page">
      <PageHead title="Map" />
      <div className="map-stage">
        {canDraw ? (
          <Suspense fallback={<p className="loading">Loading the map…</p>}>
            <MapCanvas
              layers={shownLayers}
              area={rings}
              focus={area.focus}
              drawing={drawing}
              onDrawn={(drawn) => {
                setDrawing(undefined)
                takeArea(drawn)
              }}
            />
            <LayerPanel layers={shownLayers} onChange={changeLayer} />
          </Suspense>
        ) : (
          <NoMap layers={layers} rings={rings} />
        )}
      </div>
      <div className="map-side">
        <Section title="Analyse an area">
          <AreaForm
            text={area.text}
            draft={area.draft}
            drawing={drawing}
            canDraw={canDraw}
            submission={submission}
            processes={processes}
            process={process}
            layers={suitableLayers(process, layers)}
            layer={layer}
            onText={takeText}
            onArea={(given) => {
              takeArea(given)
              area.look()
            }}
            onDrawing={setDrawing}
            onSample={takeSample}
            onProcess={chooseProcess}
            onLayer={setLayer}
            onSubmit={submit}
          />
        </Section>
        <div ref={result}>
          <Section title="Result">
            <AnalysisView analysis={analysis} layers={layers} onRetried={(id) => setQuery({ job: id })} />
          </Section>
        </div>
      </div>
    </div>
  )
}

/** The area's text and what it means; of a job that the URL names, its input, until something else is written. */
function useArea(jobId: string | undefined) {
  const [text, setText] = useState('')
  const [focus, setFocus] = useState<BboxLonLat>()
  const [wantsLook, setWantsLook] = useState(false)
  const draft = useMemo(() => readArea(text), [text])

  useEffect(() => {
    if (!wantsLook) return
    setWantsLook(false)
    setFocus(bboxOfDraft(draft))
  }, [wantsLook, draft])

  useEffect(() => {
    if (jobId === undefined) return
    let isGone = false
    headrace
      .job(jobId)
      .inputs()
      .then(
        (inputs) => {
          const area = areaIn(inputs)
          if (isGone || area === undefined) return
          setText((before) => (before.trim() === '' ? areaText(area) : before))
          setWantsLook(true)
        },
        () => {}, // The analysis's own panel says that the job cannot be read.
      )
    return () => {
      isGone = true
    }
  }, [jobId])

  return { text, setText, draft, focus, look: useCallback(() => setWantsLook(true), []) }
}

function useShownLayers(layers: readonly WireLayer[]) {
  const [changes, setChanges] = useState<Readonly<Record<string, Partial<Pick<ShownLayer, 'isShown' | 'opacity'>>>>>({})
  const shown = useMemo(
    () =>
      layers.map((layer, index): ShownLayer => ({ layer, isShown: index === 0, opacity: 0.8, ...changes[layer.name] })),
    [layers, changes],
  )
  const change = (name: string, change: Partial<Pick<ShownLayer, 'isShown' | 'opacity'>>) =>
    setChanges((before) => ({ ...before, [name]: { ...before[name], ...change } }))
  return [shown, change] as const
}

/** The analyses of an area that this server has, by their own titles; the usual two until it has said. */
function useAnalyses() {
  const { loadable } = useLoaded('processes', () => headrace.processes())
  if (loadable.state !== 'ready') return ANALYSES
  const found = loadable.value.filter((process) => process.id.startsWith('watershed.analyze-'))
  return found.length > 0 ? found : ANALYSES
}

function NoMap(props: {
  readonly layers: readonly WireLayer[]
  readonly rings: Parameters<typeof PlanView>[0]['rings']
}) {
  return (
    <div className="no-map">
      <p className="note">
        This browser has no WebGL, which the map needs. Everything else works: paste an area as GeoJSON, give its edges,
        or use the sample.
      </p>
      <PlanView
        label={props.rings ? 'The area, and the edges of the layers' : 'The edges of the layers'}
        rings={props.rings}
        boxes={props.layers.map((layer) => ({ name: layer.name, bbox: layer.bboxLonLat }))}
      />
    </div>
  )
}
