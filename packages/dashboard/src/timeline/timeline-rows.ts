import type { StatusInfo, WireStep } from '@headrace/wire'
import { type ShownState, shownState } from '../state/shown-state.ts'

/** One line of a job's timeline. `key` stays the same while the tree grows. */
export type TimelineRow = {
  readonly key: string
  readonly depth: number
} /** `isOneOfMany`: its step started more than this one, so that its item number tells it apart. */ & (
  | { readonly kind: 'job'; readonly job: StatusInfo; readonly isOneOfMany: boolean; readonly fold: Fold }
  | { readonly kind: 'group'; readonly name: string; readonly jobs: readonly StatusInfo[]; readonly fold: Fold }
  | { readonly kind: 'step'; readonly step: WireStep; readonly fold: 'none' }
)
export type Fold = 'open' | 'closed' | 'none'

/** More children than this of one step are one line with their counts, until someone unfolds it. */
export const GROUP_SIZE_MIN = 12
/** In a tree larger than this, only the top job starts unfolded. */
const OPEN_SIZE_MAX = 60

/**
 * The lines of a tree of jobs, top down: under each job its recorded steps and its children, in step order; many
 * children of one step as one group.
 * @param toggled keys of the lines whose fold is not the one they start with
 */
export function timelineRows(tree: {
  readonly rootId: string
  readonly jobs: readonly StatusInfo[]
  /** Of the root job. */
  readonly steps: readonly WireStep[]
  readonly toggled: ReadonlySet<string>
}): readonly TimelineRow[] {
  const rows: TimelineRow[] = []
  const root = tree.jobs.find((job) => job.jobID === tree.rootId)
  if (!root) return rows
  const childrenOf = Map.groupBy(
    tree.jobs.filter((job) => job.jobID !== tree.rootId),
    (job) => job.parentId ?? '',
  )
  const isSmall = tree.jobs.length <= OPEN_SIZE_MAX
  const foldOf = (key: string, opensByItself: boolean): Fold =>
    tree.toggled.has(key) === opensByItself ? 'closed' : 'open'

  const addJob = (job: StatusInfo, depth: number, isOneOfMany: boolean) => {
    const children = childrenOf.get(job.jobID) ?? []
    const steps = job === root ? tree.steps.filter((step) => !step.children.total) : []
    const isEmpty = children.length === 0 && steps.length === 0
    const fold = isEmpty ? 'none' : foldOf(job.jobID, job === root || isSmall)
    rows.push({ key: job.jobID, depth, kind: 'job', job, isOneOfMany, fold })
    if (fold === 'open') addInside(job, children, steps, depth + 1)
  }

  const addInside = (
    parent: StatusInfo,
    children: readonly StatusInfo[],
    steps: readonly WireStep[],
    depth: number,
  ) => {
    const byStep = Map.groupBy(children, (job) => job.step ?? -1)
    const stepByNumber = new Map(steps.map((step) => [step.step, step]))
    const numbers = [...new Set([...byStep.keys(), ...stepByNumber.keys()])].sort((a, b) => a - b)
    for (const number of numbers) {
      const step = stepByNumber.get(number)
      if (step) rows.push({ key: `${parent.jobID}/${number}`, depth, kind: 'step', step, fold: 'none' })
      addChildren(parent, number, byStep.get(number) ?? [], depth)
    }
  }

  const addChildren = (parent: StatusInfo, step: number, unsorted: readonly StatusInfo[], depth: number) => {
    const jobs = unsorted.toSorted((a, b) => (a.item ?? 0) - (b.item ?? 0))
    if (jobs.length <= GROUP_SIZE_MIN) {
      for (const job of jobs) addJob(job, depth, jobs.length > 1)
      return
    }
    const key = `${parent.jobID}/${step}/group`
    const fold = foldOf(key, false)
    rows.push({ key, depth, kind: 'group', name: jobs[0]?.processID ?? '', jobs, fold })
    if (fold === 'open') for (const job of jobs) addJob(job, depth + 1, true)
  }

  addJob(root, 0, false)
  return rows
}

/** From the first job's submission to the last end, or to now while anything has not ended. */
export type Span = { readonly fromMs: number; readonly toMs: number }

const SPAN_MS_MIN = 10

export function spanOf(jobs: readonly StatusInfo[], nowMs: number): Span {
  let fromMs = Number.POSITIVE_INFINITY
  let toMs = 0
  for (const job of jobs) {
    fromMs = Math.min(fromMs, Date.parse(job.created))
    toMs = Math.max(toMs, job.finished ? Date.parse(job.finished) : nowMs)
  }
  if (!Number.isFinite(fromMs)) return { fromMs: nowMs, toMs: nowMs + SPAN_MS_MIN }
  return { fromMs, toMs: Math.max(toMs, fromMs + SPAN_MS_MIN) }
}

/** Where an instant lies on a span, 0 to 1. */
export function placeOf(atMs: number, span: Span): number {
  return Math.min(1, Math.max(0, (atMs - span.fromMs) / (span.toMs - span.fromMs)))
}

export type Bar = { readonly waitFrom: number; readonly from: number; readonly to: number }

/** A job's waiting and running on a span, as places from 0 to 1. A job that has not begun waits until now. */
export function barOf(job: StatusInfo, span: Span, nowMs: number): Bar {
  const waitFrom = placeOf(Date.parse(job.created), span)
  const to = placeOf(job.finished ? Date.parse(job.finished) : nowMs, span)
  const hasBegun = job.started !== undefined && job.state !== 'waiting'
  return { waitFrom, from: hasBegun ? placeOf(Date.parse(job.started ?? job.created), span) : to, to }
}

export type Counts = Readonly<Record<ShownState, number>>

export function countStates(jobs: readonly StatusInfo[], nowMs: number): Counts {
  const counts = { scheduled: 0, waiting: 0, running: 0, cancelling: 0, succeeded: 0, failed: 0, cancelled: 0 }
  for (const job of jobs) counts[shownState(job, nowMs)]++
  return counts
}

/** How many of a group's jobs were running in each slice of a span, and how many of those went on to fail. */
export type Density = {
  readonly running: readonly number[]
  readonly failing: readonly number[]
  readonly most: number
}

export function densityOf(jobs: readonly StatusInfo[], span: Span, slices: number, nowMs: number): Density {
  // Differences first, so that the work grows with the jobs and not with how long they ran.
  const all = new Array<number>(slices + 1).fill(0)
  const failed = new Array<number>(slices + 1).fill(0)
  for (const job of jobs) {
    if (job.started === undefined || job.state === 'waiting') continue
    const bar = barOf(job, span, nowMs)
    const first = Math.min(slices - 1, Math.floor(bar.from * slices))
    const last = Math.min(slices - 1, Math.floor(bar.to * slices))
    for (const line of job.state === 'failed' ? [all, failed] : [all]) {
      line[first] = (line[first] ?? 0) + 1
      line[last + 1] = (line[last + 1] ?? 0) - 1
    }
  }
  const running = runningSum(all, slices)
  return { running, failing: runningSum(failed, slices), most: Math.max(1, ...running) }
}

function runningSum(differences: readonly number[], slices: number): readonly number[] {
  let sum = 0
  return differences.slice(0, slices).map((difference) => {
    sum += difference
    return sum
  })
}
