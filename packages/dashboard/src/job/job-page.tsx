import type { Json, StatusInfo, WireArtifact, WireAttempt, WireLayer } from '@headrace/wire'
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef } from 'react'
import { Link } from 'wouter'
import { CANVAS_PROCESS, CanvasSection } from '../canvas/canvas-section.tsx'
import { headrace } from '../data/headrace.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { CopyButton, JsonTree } from '../json/json-tree.tsx'
import { ConnectionNote } from '../live/connection-note.tsx'
import { LogView } from '../logs/log-view.tsx'
import { sizeText } from '../look/size-text.ts'
import { areaIn, ringsOf } from '../plan/geometry.ts'
import { PlanView } from '../plan/plan-view.tsx'
import { announce } from '../shell/announcer.tsx'
import { Loaded, PageHead } from '../shell/page.tsx'
import { Section } from '../shell/section.tsx'
import { isEnded, shownState } from '../state/shown-state.ts'
import { ProgressBar, StateChip } from '../state/state-chip.tsx'
import { surveyOf } from '../survey/survey.ts'
import { SurveyView } from '../survey/survey-view.tsx'
import { absolute } from '../time/instant.ts'
import { useNow } from '../time/now.ts'
import { Duration, RelativeTime } from '../time/time.tsx'
import { Timeline } from '../timeline/timeline.tsx'
import { ErrorPanel } from './error-panel.tsx'
import { JobActions } from './job-actions.tsx'
import { type JobScene, type JobTellings, useJobScene } from './use-job-scene.ts'
import { Waits } from './waits.tsx'
import { WhyWaiting } from './why-waiting.tsx'
import './job.css'

const Curves = lazy(() => import('../curves/curves.tsx'))

export function JobPage(props: { readonly id: string }) {
  const { loadable, tellings, connection, reload, accept } = useJobScene(props.id)
  if (loadable.state !== 'ready') {
    return (
      <>
        <PageHead title={`Job ${props.id.slice(-12)}`} />
        <Loaded of={loadable} what="this job" onRetry={reload}>
          {() => null}
        </Loaded>
      </>
    )
  }
  return (
    <div className="job-page">
      <JobHead
        scene={loadable.value}
        onAnswer={accept}
        note={isEnded(loadable.value.job) ? null : <ConnectionNote connection={connection} />}
      />
      <JobBody scene={loadable.value} tellings={tellings} />
    </div>
  )
}

function JobHead(props: {
  readonly scene: JobScene
  readonly onAnswer: (job: StatusInfo) => void
  readonly note: ReactNode
}) {
  const { job } = props.scene
  const state = shownState(job, useNow())
  useSaidState(job, state)
  return (
    <>
      <nav className="crumbs" aria-label="Where this job belongs">
        <Link href="/jobs">Jobs</Link>
        {job.rootId !== job.jobID && job.rootId !== job.parentId ? (
          <Link href={`/jobs/${job.rootId}`}>top job</Link>
        ) : null}
        {job.parentId ? <Link href={`/jobs/${job.parentId}`}>parent job</Link> : null}
        <span className="job-id">{job.jobID}</span>
        <CopyButton text={() => job.jobID} what="job id" />
      </nav>
      <PageHead
        title={job.processID}
        aside={
          <>
            {props.note}
            <JobActions job={job} onAnswer={props.onAnswer} />
          </>
        }
      >
        {job.processID} <StateChip state={state} />
      </PageHead>
      {state === 'succeeded' ? null : (
        <div className="job-progress">
          <ProgressBar job={job} />
          <span>{job.progressMessage}</span>
        </div>
      )}
      {job.state === 'waiting' ? <WhyWaiting job={job} /> : null}
      <Facts job={job} />
    </>
  )
}

function useSaidState(job: StatusInfo, state: string) {
  const before = useRef(state)
  useEffect(() => {
    if (before.current !== state) announce(`${job.processID} is ${state}.`)
    before.current = state
  }, [job.processID, state])
}

function Facts({ job }: { readonly job: StatusInfo }) {
  return (
    <dl className="facts">
      <Fact name="Submitted">
        <RelativeTime at={job.created} />
        {job.owner ? ` by ${job.owner}` : ''}
      </Fact>
      {job.started ? (
        <Fact name="Started">
          <RelativeTime at={job.started} />
        </Fact>
      ) : null}
      {job.state === 'waiting' && job.dueAt ? (
        <Fact name="Due">
          <RelativeTime at={job.dueAt} />
        </Fact>
      ) : null}
      {job.started ? (
        <Fact name={isEnded(job) ? 'Took' : 'Running for'}>
          <Duration from={job.started} to={job.finished} />
        </Fact>
      ) : null}
      <Fact name="Queue">
        <Link href={`/jobs?queue=${encodeURIComponent(job.queue)}`}>{job.queue}</Link>
        {job.priority === 0 ? '' : `, priority ${job.priority}`}
      </Fact>
      <Fact name="Kind">{job.kind}</Fact>
      {job.attempt > 0 ? <Fact name="Attempt">{job.attempt}</Fact> : null}
      {job.worker ? (
        <Fact name="Worker">
          <span className="job-id" title={job.worker}>
            {job.worker.slice(-12)}
          </span>
        </Fact>
      ) : null}
      {job.deployment ? <Fact name="Deployment">{job.deployment}</Fact> : null}
      {job.labels ? <Fact name="Labels">{job.labels.join(', ')}</Fact> : null}
      {job.needs ? <Fact name="Needs">{needsText(job.needs)}</Fact> : null}
      {job.limit ? (
        <Fact name="Limit">
          {job.limit.key}, {job.limit.max} at a time
        </Fact>
      ) : null}
      {job.deadlineAt ? (
        <Fact name="Deadline">
          <RelativeTime at={job.deadlineAt} />
        </Fact>
      ) : null}
      {job.cache ? (
        <Fact name="Cache">
          <CacheText cache={job.cache} />
        </Fact>
      ) : null}
      {job.retryOf ? (
        <Fact name="Retry of">
          <Link href={`/jobs/${job.retryOf}`}>{job.retryOf.slice(-12)}</Link>
        </Fact>
      ) : null}
      {job.tags.length > 0 ? (
        <Fact name="Tags">
          {job.tags.map((tag) => (
            <Link key={tag} className="tag" href={`/jobs?tag=${encodeURIComponent(tag)}`}>
              {tag}
            </Link>
          ))}
        </Fact>
      ) : null}
    </dl>
  )
}

/** @example needsText({ cpu: 2, slots: { licence: 1 } }) // 'cpu 2, licence 1' */
function needsText(needs: Json): string {
  const { slots = {}, ...plain } = needs as { readonly [name: string]: Json } // sound: that is what resources are
  return Object.entries({ ...plain, ...(slots as object) })
    .map(([name, amount]) => `${name} ${amount}`)
    .join(', ')
}

function CacheText({ cache }: { readonly cache: NonNullable<StatusInfo['cache']> }) {
  const other = cache.from ?? cache.following
  if (other === undefined) return cache.hit ? 'hit, the result of a job that was removed' : 'miss'
  return (
    <>
      {cache.hit ? 'hit, the result of ' : 'waits for '}
      <Link href={`/jobs/${other}`}>{other.slice(-12)}</Link>
    </>
  )
}

function Fact(props: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  )
}

function JobBody(props: { readonly scene: JobScene; readonly tellings: JobTellings }) {
  const { job, jobs, steps, attempts, artifacts } = props.scene
  const { logs, metrics } = props.tellings
  const names = useMemo(() => new Map(jobs.map((one) => [one.jobID, nameOf(one)])), [jobs])
  return (
    <div className="job-body">
      <div className="job-main">
        {job.error && isEnded(job) ? (
          <Section title={job.state === 'cancelled' ? 'Why it was cancelled' : 'Error'}>
            <ErrorPanel error={job.error} jobId={job.jobID} />
          </Section>
        ) : null}
        <Waits job={job} steps={steps} />
        {job.processID === CANVAS_PROCESS ? <CanvasSection id={job.jobID} jobs={jobs} /> : null}
        <Section
          title="Timeline"
          aside={jobs.length > 1 ? <span className="muted">{jobs.length.toLocaleString()} jobs</span> : null}
        >
          {props.scene.isTruncated ? (
            <p className="note">
              The tree is larger than what is drawn: these are its oldest {jobs.length.toLocaleString()} jobs.
            </p>
          ) : null}
          <Timeline rootId={job.jobID} jobs={jobs} steps={steps} />
        </Section>
        {metrics.size > 0 ? (
          <Section title="Curves">
            <Suspense fallback={<p className="loading">Loading the charts…</p>}>
              <Curves series={metrics} />
            </Suspense>
          </Section>
        ) : null}
        <Section title="Log">
          <LogView
            id={job.jobID}
            book={logs}
            nameOf={(id) => names.get(id) ?? id.slice(-12)}
            hasChildren={jobs.length > 1}
            attempts={job.attempt}
            isOver={isEnded(job)}
          />
        </Section>
      </div>
      <div className="job-aside">
        {job.state === 'succeeded' ? <Output id={job.jobID} /> : null}
        <Input id={job.jobID} />
        {artifacts.length > 0 ? <Artifacts artifacts={artifacts} /> : null}
        {attempts.length > 0 ? (
          <Attempts attempts={attempts} jobId={job.jobID} shownError={job.error?.message} />
        ) : null}
      </div>
    </div>
  )
}

function nameOf(job: StatusInfo): string {
  const name = job.processID.split('.').at(-1) ?? job.processID
  return job.item === undefined ? name : `${name} #${job.item}`
}

const NO_LAYERS: readonly WireLayer[] = []

function Output(props: { readonly id: string }) {
  const { loadable, reload } = useLoaded(`results of ${props.id}`, () => headrace.job(props.id).result())
  const isSurvey = loadable.state === 'ready' && surveyOf(loadable.value) !== undefined
  const layers = useLoaded(`layers for ${isSurvey}`, () => (isSurvey ? headrace.layers() : Promise.resolve(NO_LAYERS)))
  return (
    <Section title="Result">
      <Loaded of={loadable} what="the result" onRetry={reload}>
        {(result) => (
          <Result result={result} layers={layers.loadable.state === 'ready' ? layers.loadable.value : NO_LAYERS} />
        )}
      </Loaded>
    </Section>
  )
}

function Result(props: { readonly result: Json; readonly layers: readonly WireLayer[] }) {
  const survey = useMemo(() => surveyOf(props.result, props.layers), [props.result, props.layers])
  if (!survey) return <JsonTree value={props.result} label="result" />
  return (
    <>
      <SurveyView survey={survey} />
      <details>
        <summary>As JSON</summary>
        <JsonTree value={props.result} label="result" />
      </details>
    </>
  )
}

function Input(props: { readonly id: string }) {
  const { loadable, reload } = useLoaded(`inputs of ${props.id}`, () => headrace.job(props.id).inputs())
  return (
    <Section title="Input">
      <Loaded of={loadable} what="the input" onRetry={reload}>
        {(inputs) => {
          const rings = ringsOf(areaIn(inputs))
          return (
            <>
              {rings ? <PlanView label="The area of the input" rings={rings} /> : null}
              <JsonTree value={inputs} label="input" openDepth={rings ? 1 : 2} />
            </>
          )
        }}
      </Loaded>
    </Section>
  )
}

function Artifacts(props: { readonly artifacts: readonly WireArtifact[] }) {
  return (
    <Section title="Artifacts">
      <ul className="artifacts">
        {props.artifacts.map((artifact) => (
          <li key={`${artifact.name} ${artifact.id}`}>
            <a href={artifact.href} download={artifact.name}>
              {artifact.name}
            </a>
            <span className="muted">
              {sizeText(artifact.sizeBytes)}
              {artifact.mediaType ? `, ${artifact.mediaType}` : ''}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

const OUTCOMES: Readonly<Record<WireAttempt['outcome'], string>> = {
  running: 'is running',
  succeeded: 'succeeded',
  failed: 'failed, and was the last',
  cancelled: 'was cancelled',
  retried: 'failed, and was tried again',
  lapsed: 'lost its worker',
  released: 'was handed back unharmed',
  parked: 'rests in the store',
}

function Attempts(props: {
  readonly attempts: readonly WireAttempt[]
  readonly jobId: string
  /** What stands on the page already. */
  readonly shownError: string | undefined
}) {
  return (
    <Section title="Attempts">
      <ol className="attempt-list" reversed>
        {props.attempts.toReversed().map((attempt) => (
          <li key={attempt.attempt} value={attempt.attempt}>
            <p>
              <strong>{OUTCOMES[attempt.outcome]}</strong>{' '}
              <span className="muted" title={absolute(Date.parse(attempt.startedAt))}>
                after <Duration from={attempt.startedAt} to={attempt.endedAt} /> on {attempt.worker.slice(-12)}
              </span>
            </p>
            {attempt.error && attempt.error.message !== props.shownError ? (
              <ErrorPanel error={attempt.error} jobId={props.jobId} />
            ) : null}
          </li>
        ))}
      </ol>
    </Section>
  )
}
