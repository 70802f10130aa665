import type { WireLayer } from '@headrace/wire'
import { useEffect, useMemo, useRef } from 'react'
import { Link } from 'wouter'
import { ErrorPanel } from '../job/error-panel.tsx'
import { JobActions } from '../job/job-actions.tsx'
import { JsonTree } from '../json/json-tree.tsx'
import { announce } from '../shell/announcer.tsx'
import { FailedNote } from '../shell/page.tsx'
import { shownState } from '../state/shown-state.ts'
import { ProgressBar, StateChip } from '../state/state-chip.tsx'
import { surveyOf } from '../survey/survey.ts'
import { SurveyView } from '../survey/survey-view.tsx'
import { useNow } from '../time/now.ts'
import { Duration } from '../time/time.tsx'
import type { Analysis } from './use-analysis.ts'

/** The job that the map shows: how far it is, then what it found. */
export function AnalysisView(props: {
  readonly analysis: Analysis
  readonly layers: readonly WireLayer[]
  readonly onRetried: (id: string) => void
}) {
  const { analysis } = props
  useSaidEnd(analysis)
  switch (analysis.state) {
    case 'none':
      return <p className="muted">Choose an area, then analyse it. The result appears here.</p>
    case 'loading':
      return <p className="loading">Looking for the job…</p>
    case 'failed':
      return <FailedNote what="the analysis" error={analysis.error} />
    case 'following':
    case 'ended':
      return <JobLine analysis={analysis} onRetried={props.onRetried} />
    case 'ready':
      return (
        <>
          <JobLine analysis={analysis} onRetried={props.onRetried} />
          <Found analysis={analysis} layers={props.layers} />
        </>
      )
  }
}

function JobLine(props: {
  readonly analysis: Extract<Analysis, { job: unknown }>
  readonly onRetried: (id: string) => void
}) {
  const { job } = props.analysis
  const nowMs = useNow()
  return (
    <div className="analysis-job">
      <p>
        <StateChip state={shownState(job, nowMs)} />{' '}
        <Link href={`/jobs/${job.jobID}`}>
          <strong>{job.processID}</strong>
        </Link>{' '}
        {job.started ? (
          <span className="muted">
            <Duration from={job.started} to={job.finished} />
          </span>
        ) : null}
      </p>
      {props.analysis.state === 'following' ? (
        <>
          <ProgressBar job={job} />
          <div className="analysis-now">
            <span className="muted">{job.progressMessage ?? 'Waiting for a worker.'}</span>
            <JobActions job={job} onAnswer={() => {}} />
          </div>
        </>
      ) : null}
      {job.error ? (
        <>
          <ErrorPanel error={job.error} jobId={job.jobID} />
          <JobActions job={job} onAnswer={() => {}} onRetried={props.onRetried} />
        </>
      ) : null}
    </div>
  )
}

function Found(props: {
  readonly analysis: Extract<Analysis, { state: 'ready' }>
  readonly layers: readonly WireLayer[]
}) {
  const survey = useMemo(() => surveyOf(props.analysis.result, props.layers), [props.analysis.result, props.layers])
  return survey ? <SurveyView survey={survey} /> : <JsonTree value={props.analysis.result} label="result" />
}

function useSaidEnd(analysis: Analysis) {
  const before = useRef(analysis.state)
  useEffect(() => {
    if (before.current === 'following' && analysis.state === 'ended') announce(`The analysis ${analysis.job.state}.`)
    before.current = analysis.state
  }, [analysis])
}
