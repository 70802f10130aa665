import type { LogLine, StatusInfo, WireArtifact, WireAttempt, WireEvent, WireStep } from '@headrace/wire'
import { useCallback, useEffect, useRef, useState } from 'react'
import { type MetricSeries, withPoints } from '../curves/metric-series.ts'
import { getTree, headrace } from '../data/headrace.ts'
import { asError, LOADING, type Loadable } from '../data/loadable.ts'
import { afterEvent } from '../jobs/job-changes.ts'
import { coalesce } from '../live/coalesce.ts'
import { type Connection, useTreeEvents } from '../live/use-events.ts'
import { type LogBook, withLines } from '../logs/log-book.ts'
import { isEnded } from '../state/shown-state.ts'

/** All that a job's page draws. */
export type JobScene = {
  readonly job: StatusInfo
  /** The job and its descendants, oldest first. */
  readonly jobs: readonly StatusInfo[]
  readonly isTruncated: boolean
  readonly attempts: readonly WireAttempt[]
  readonly steps: readonly WireStep[]
  readonly artifacts: readonly WireArtifact[]
}

/** What only events bring, kept apart so that a log line does not draw the timeline again. */
export type JobTellings = { readonly logs: LogBook; readonly metrics: MetricSeries }

const REDRAW_MS = 250
/** A tree of thousands is a large answer: it is asked for again when children appeared, this often at most. */
const REFETCH_MS = 1_000

export function useJobScene(id: string): {
  readonly loadable: Loadable<JobScene>
  readonly tellings: JobTellings
  readonly connection: Connection
  readonly reload: () => void
  /** What an action of ours answered, so that its effect shows at once. */
  readonly accept: (job: StatusInfo) => void
} {
  const [loadable, setLoadable] = useState<Loadable<JobScene>>(LOADING)
  const [tellings, setTellings] = useState<JobTellings>({ logs: { lines: [], dropped: 0 }, metrics: new Map() })
  const [reload, setReload] = useState<() => void>(() => () => {})

  useEffect(() => {
    let isGone = false
    let isLoading = false
    const load = async () => {
      // One at a time: a large tree may take longer than the wait between two looks.
      if (isLoading) return pipe.push(true)
      isLoading = true
      try {
        const value = await loadScene(id)
        if (!isGone) setLoadable((before) => ({ state: 'ready', value: keepNewer(before, value) }))
      } catch (thrown) {
        if (!isGone)
          setLoadable((before) => (before.state === 'ready' ? before : { state: 'failed', error: asError(thrown) }))
      } finally {
        isLoading = false
      }
    }
    const pipe = coalesce<true>(REFETCH_MS, load)
    setReload(() => () => pipe.push(true))
    pipe.push(true)
    return () => {
      isGone = true
      pipe.stop()
    }
  }, [id])

  // Events that came before the first snapshot wait for it; events never take a job back, so their order is harmless.
  const early = useRef<WireEvent[]>([])
  const change = useCallback((change: (scene: JobScene) => JobScene) => {
    setLoadable((before) => (before.state === 'ready' ? { state: 'ready', value: change(before.value) } : before))
  }, [])

  const known = useRef<ReadonlySet<string> | undefined>(undefined)
  const jobs = loadable.state === 'ready' ? loadable.value.jobs : undefined
  useEffect(() => {
    known.current = jobs && new Set(jobs.map((job) => job.jobID))
    if (jobs && early.current.length > 0) {
      const events = early.current
      early.current = []
      change((scene) => sceneAfter(scene, events))
    }
  }, [jobs, change])

  const onEvents = (events: readonly WireEvent[]) => {
    setTellings((before) => tellingsAfter(before, events))
    if (known.current === undefined) {
      early.current.push(...events.filter((event) => event.kind !== 'log' && event.kind !== 'metric'))
      return
    }
    change((scene) => sceneAfter(scene, events))
    if (loadable.state === 'ready' && events.some((event) => asksForMore(event, id, loadable.value, known.current)))
      reload()
  }
  const connection = useTreeEvents(id, onEvents, REDRAW_MS)

  const accept = useCallback(
    (job: StatusInfo) =>
      change((scene) => {
        const shown = scene.jobs.find((one) => one.jobID === job.jobID)
        return sceneWith(scene, new Map([[job.jobID, newerOf(shown, job)]]))
      }),
    [change],
  )
  return { loadable, tellings, connection, reload, accept }
}

async function loadScene(id: string): Promise<JobScene> {
  const handle = headrace.job(id)
  const [tree, attempts, steps, artifacts] = await Promise.all([
    getTree(id),
    handle.attempts(),
    handle.steps(),
    handle.artifacts(),
  ])
  const job = tree.jobs.find((one) => one.jobID === id) ?? (await handle.status())
  return { job, jobs: tree.jobs, isTruncated: tree.truncated, attempts, steps, artifacts }
}

/** An answer may be older than the events that came while it was on its way: what has ended stays ended. */
function newerOf(shown: StatusInfo | undefined, answered: StatusInfo): StatusInfo {
  if (!shown || isEnded(answered)) return answered
  return isEnded(shown) || Date.parse(shown.updated) > Date.parse(answered.updated) ? shown : answered
}

function keepNewer(before: Loadable<JobScene>, loaded: JobScene): JobScene {
  if (before.state !== 'ready') return loaded
  const shown = new Map(before.value.jobs.map((job) => [job.jobID, job]))
  const jobs = loaded.jobs.map((job) => newerOf(shown.get(job.jobID), job))
  return { ...loaded, jobs, job: jobs.find((job) => job.jobID === loaded.job.jobID) ?? loaded.job }
}

function sceneAfter(scene: JobScene, events: readonly WireEvent[]): JobScene {
  const byJob = Map.groupBy(
    events.filter((event) => event.kind !== 'log' && event.kind !== 'metric'),
    (event) => event.jobId,
  )
  if (byJob.size === 0) return scene
  const changed = new Map<string, StatusInfo>()
  for (const job of scene.jobs) {
    const after = byJob.get(job.jobID)?.reduce(afterEvent, job)
    if (after && after !== job) changed.set(job.jobID, after)
  }
  return sceneWith(scene, changed)
}

function sceneWith(scene: JobScene, changed: ReadonlyMap<string, StatusInfo>): JobScene {
  if (changed.size === 0) return scene
  return {
    ...scene,
    job: changed.get(scene.job.jobID) ?? scene.job,
    jobs: scene.jobs.map((job) => changed.get(job.jobID) ?? job),
  }
}

/** Whether an event tells of something that only another look at the server can show. */
function asksForMore(event: WireEvent, id: string, scene: JobScene, known: ReadonlySet<string> | undefined): boolean {
  // Of a tree that is cut off, later children are beyond the cut.
  if (!known?.has(event.jobId)) return !scene.isTruncated && (event.kind === 'queued' || event.kind === 'started')
  if (event.jobId !== id) return false
  switch (event.kind) {
    case 'step':
      return !scene.steps.some((step) => step.step === event.data.step)
    case 'signal':
      return scene.steps.some((step) => step.kind === 'signal' && step.value === undefined)
    case 'artifact':
      return !scene.artifacts.some(
        (artifact) => artifact.name === event.data.name && artifact.id === event.data.artifact,
      )
    case 'started':
      return !scene.attempts.some((attempt) => attempt.attempt === event.attempt)
    case 'retried':
    case 'lapsed':
    case 'released':
    case 'parked':
    case 'ending':
    case 'ended':
      return scene.attempts.some((attempt) => attempt.attempt === event.attempt && attempt.endedAt === undefined)
    default:
      return false
  }
}

function tellingsAfter(before: JobTellings, events: readonly WireEvent[]): JobTellings {
  const lines = events.filter((event) => event.kind === 'log').map(toLogLine)
  const points = events.filter((event) => event.kind === 'metric')
  if (lines.length === 0 && points.length === 0) return before
  return { logs: withLines(before.logs, lines), metrics: withPoints(before.metrics, points) }
}

function toLogLine(event: WireEvent): LogLine {
  return {
    cursor: event.cursor,
    jobId: event.jobId,
    attempt: event.attempt,
    at: event.at,
    // Sound: the wire says that a log event's data has these two.
    level: event.data.level as LogLine['level'],
    message: String(event.data.message ?? ''),
  }
}
