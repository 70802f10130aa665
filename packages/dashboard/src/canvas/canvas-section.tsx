import type { StatusInfo } from '@headrace/wire'
import { useMemo } from 'react'
import { Link } from 'wouter'
import { headrace } from '../data/headrace.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { Loaded } from '../shell/page.tsx'
import { Section } from '../shell/section.tsx'
import { StateIcon } from '../state/state-chip.tsx'
import { type CanvasBranch, canvasTree } from './canvas-tree.ts'
import './canvas.css'

/** The process that runs a canvas. */
export const CANVAS_PROCESS = 'headrace.canvas'

/** What a canvas is composed of, as a tree, with how each part stands. */
export function CanvasSection(props: { readonly id: string; readonly jobs: readonly StatusInfo[] }) {
  const { loadable, reload } = useLoaded(`inputs of ${props.id}`, () => headrace.job(props.id).inputs())
  const children = useMemo(() => props.jobs.filter((job) => job.parentId === props.id), [props.id, props.jobs])
  return (
    <Section title="Canvas">
      <Loaded of={loadable} what="the canvas" onRetry={reload}>
        {(inputs) => <Branches branches={canvasTree(inputs, children)} />}
      </Loaded>
    </Section>
  )
}

function Branches({ branches }: { readonly branches: readonly CanvasBranch[] }) {
  return (
    <ul className="canvas-tree">
      {branches.map((branch) => (
        <li key={branch.path}>
          <Branch branch={branch} />
          {branch.children.length > 0 ? <Branches branches={branch.children} /> : null}
        </li>
      ))}
    </ul>
  )
}

function Branch({ branch }: { readonly branch: CanvasBranch }) {
  const { label, kind, state, jobs, path } = branch
  const [only] = jobs
  return (
    <p className="canvas-node" title={path}>
      {state === undefined ? <span className="canvas-none" aria-hidden="true" /> : <StateIcon state={state} />}
      {jobs.length === 1 && only ? <Link href={`/jobs/${only.jobID}`}>{label}</Link> : <strong>{label}</strong>}
      <span className="muted">
        {[kind, countText(jobs), state ?? 'not begun'].filter((text) => text !== '').join(', ')}
      </span>
    </p>
  )
}

function countText(jobs: readonly StatusInfo[]): string {
  if (jobs.length < 2) return ''
  const ended = jobs.filter((job) => job.finished !== undefined).length
  return `${ended.toLocaleString()} of ${jobs.length.toLocaleString()} jobs ended`
}
