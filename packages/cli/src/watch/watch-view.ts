import type { JobTree, StatusInfo, WireStep } from '@headrace/wire'
import { durationText } from '../terminal/duration.ts'
import { ranText, stateText, styleOfState } from '../terminal/job-state.ts'
import { oneLine } from '../terminal/printable.ts'
import { bar, percent } from '../terminal/progress-bar.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** What is known of a watched job at one moment. */
export type Watched = {
  readonly status: StatusInfo
  readonly steps: readonly WireStep[]
  readonly tree: JobTree
}

const BAR_WIDTH = 20
const CALLS_MAX = 8

/** The lines that show a job: its own first, then one for each task that it called. */
export function watchLines(terminal: Pick<Terminal, 'paintNote'>, watched: Watched, now: number): readonly string[] {
  const { status, steps } = watched
  const fraction = fractionOf(watched)
  const shownBar = terminal.paintNote(styleOfState(status.state), bar(fraction, BAR_WIDTH))
  // What may be long comes last, for a narrow terminal cuts the line.
  const parts = [stateText(status), timeText(status, fraction, now), childrenText(watched), messageText(status)]
  const line = `${status.processID} ▕${shownBar}▏${percent(fraction)}  ${parts.filter(Boolean).join(' · ')}`
  return [line, ...callsByName(steps).slice(-CALLS_MAX).map(callLine)]
}

/** The job's own word, else how many of the jobs that it called have ended. Only a success is whole. */
export function fractionOf({ status, steps }: Watched): number {
  if (status.state === 'succeeded') return 1
  if (status.progressFraction !== undefined) return status.progressFraction
  if (status.progress > 0) return status.progress / 100
  const total = sum(steps, ({ children }) => children.total)
  // A workflow may go on after its last child, so its children alone never make it whole.
  return total === 0 ? 0 : Math.min(0.99, sum(steps, ({ children }) => children.ended) / total)
}

/** What is left if it goes on as it went; undefined while that would be a guess. */
export function etaMs(status: StatusInfo, fraction: number, now: number): number | undefined {
  if (status.state !== 'running' || status.started === undefined || fraction < 0.02 || fraction >= 1) return undefined
  const elapsedMs = now - Date.parse(status.started)
  return elapsedMs < 1_000 ? undefined : (elapsedMs * (1 - fraction)) / fraction
}

/** What an ended job said last is about what it was doing then. */
function messageText(status: StatusInfo): string | undefined {
  return status.state === 'running' && status.progressMessage ? oneLine(status.progressMessage) : undefined
}

function childrenText({ status, tree }: Watched): string {
  const children = tree.jobs.filter((job) => job.jobID !== status.jobID)
  if (children.length === 0) return ''
  const count = (state: StatusInfo['state']) => children.filter((job) => job.state === state).length
  const counts = (['running', 'waiting', 'succeeded', 'failed', 'cancelled'] as const)
    .map((state) => ({ state, jobs: count(state) }))
    .filter(({ jobs }) => jobs > 0)
    .map(({ state, jobs }) => `${jobs} ${state}`)
  return `children: ${counts.join(', ')}${tree.truncated ? ', and more' : ''}`
}

function timeText(status: StatusInfo, fraction: number, now: number): string {
  const left = etaMs(status, fraction, now)
  const ran = ranText(status, now)
  return left === undefined ? ran : `${ran}, about ${durationText(left)} left`
}

type Called = { readonly name: string; readonly children: WireStep['children'] }

/** The steps that called others; the calls of one task are one line, however many steps they were. */
function callsByName(steps: readonly WireStep[]): readonly Called[] {
  const calling = steps.filter(({ children }) => children.total > 0)
  return Object.entries(Object.groupBy(calling, ({ name }) => name)).map(([name, same = []]) => ({
    name,
    children: {
      total: sum(same, ({ children }) => children.total),
      ended: sum(same, ({ children }) => children.ended),
      failed: sum(same, ({ children }) => children.failed),
    },
  }))
}

function callLine({ name, children: { total, ended, failed } }: Called): string {
  const failures = failed > 0 ? `, ${failed} failed` : ''
  return `  ${oneLine(name)} ▕${bar(ended / total, BAR_WIDTH)}▏ ${ended} of ${total}${failures}`
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
