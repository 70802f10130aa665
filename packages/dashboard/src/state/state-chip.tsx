import type { StatusInfo } from '@headrace/wire'
import type { ReactNode } from 'react'
import { fractionDone, isEnded, type ShownState } from './shown-state.ts'
import './state.css'

/** An icon of its own shape and a word, so that no state is told by colour alone. */
export function StateChip(props: { readonly state: ShownState }) {
  return (
    <span className="state-chip" data-state={props.state}>
      <StateIcon state={props.state} />
      {props.state}
    </span>
  )
}

export function StateIcon(props: { readonly state: ShownState }) {
  return (
    <svg className="state-icon" data-state={props.state} viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[props.state]}
    </svg>
  )
}

const RING = <circle cx="8" cy="8" r="6.2" />
const SHAPES: Readonly<Record<ShownState, ReactNode>> = {
  waiting: <circle cx="8" cy="8" r="6.2" strokeDasharray="2.4 2.45" />,
  scheduled: [<g key="ring">{RING}</g>, <path key="hands" d="M8 4.600V8l2.300 1.600" />],
  running: [
    <circle key="track" cx="8" cy="8" r="6.2" opacity=".3" />,
    <path key="arc" className="spin" d="M8 1.800a6.200 6.200 0 0 1 6.200 6.200" />,
  ],
  cancelling: [
    <circle key="track" cx="8" cy="8" r="6.2" opacity=".3" />,
    <path key="arc" className="spin" d="M8 1.800a6.200 6.200 0 0 1 6.200 6.200" />,
    <path key="dash" d="M5.500 8h5" />,
  ],
  succeeded: [
    <circle key="disc" className="solid" cx="8" cy="8" r="7" />,
    <path key="check" className="cut" d="m4.800 8.300 2.200 2.200 4.200-4.600" />,
  ],
  failed: [
    <path key="disc" className="solid" d="M5.200 1h5.600L15 5.200v5.600L10.800 15H5.200L1 10.800V5.200z" />,
    <path key="cross" className="cut" d="m5.500 5.500 5 5m0-5-5 5" />,
  ],
  cancelled: [<g key="ring">{RING}</g>, <path key="slash" d="m3.700 12.300 8.600-8.600" />],
}

export function ProgressBar(props: { readonly job: StatusInfo; readonly label?: boolean }) {
  const { job } = props
  const percent = Math.round(fractionDone(job) * 100)
  return (
    <span className="progress" data-state={job.state} title={job.progressMessage}>
      <span
        className="progress-track"
        role="progressbar"
        aria-label={`Progress of ${job.processID}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
      >
        <span className="progress-fill" style={{ width: `${percent}%` }} />
      </span>
      {props.label === false ? null : (
        <span className="progress-percent">{isEnded(job) && percent === 0 ? '' : `${percent}%`}</span>
      )}
    </span>
  )
}
