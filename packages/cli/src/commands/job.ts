import type { StatusInfo, WireArtifact, WireAttempt, WireError, WireWaitReason } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { ageText, durationText } from '../terminal/duration.ts'
import { ranText, stateText, styleOfState } from '../terminal/job-state.ts'
import { oneLine, printable } from '../terminal/printable.ts'
import { type Column, table } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

type Details = {
  readonly status: StatusInfo
  readonly attempts: readonly WireAttempt[]
  readonly artifacts: readonly WireArtifact[]
  /** Why it waits, while it does. */
  readonly waiting?: WireWaitReason
}

/** `headrace job <id>` */
export function jobCommand(cli: Cli): Command {
  return new Command('job')
    .description('show a job: how it stands, its attempts, its error, its artifacts')
    .argument('<id>', 'the job')
    .addHelpText('after', examples('headrace job 0198c2f0-…', 'headrace job 0198c2f0-… --json'))
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const job = client.job(id)
      const status = await job.status()
      const [attempts, artifacts] = await Promise.all([job.attempts(), job.artifacts()])
      const waiting = status.state === 'waiting' ? await job.waiting() : undefined
      const details = { status, attempts, artifacts, ...(waiting && { waiting }) }
      present(cli, options, details, () => detailsText(cli.terminal, details, Date.now()))
    })
}

function detailsText(terminal: Terminal, details: Details, now: number): string {
  const { status, attempts, artifacts, waiting } = details
  const sections = [factsText(terminal, status, now)]
  if (waiting) sections.push(terminal.paint('yellow', waiting.sentence))
  if (status.error) sections.push(errorText(terminal, status.error))
  if (attempts.length > 0) sections.push(table(terminal, attemptColumns(now), attempts))
  if (artifacts.length > 0) sections.push(table(terminal, ARTIFACT_COLUMNS, artifacts))
  return sections.join('\n\n')
}

function factsText(terminal: Terminal, status: StatusInfo, now: number): string {
  const isRunning = status.state === 'running'
  const doing = isRunning && status.progressMessage ? `, ${status.progressMessage}` : ''
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['job', status.jobID],
    ['process', status.processID],
    ['state', terminal.paint(styleOfState(status.state), stateText(status))],
    ['progress', oneLine(`${status.progress} %${doing}`)],
    ['queue', status.priority === 0 ? status.queue : `${status.queue}, priority ${status.priority}`],
    ['created', `${status.created} (${ageText(status.created, now)})`],
    ['due', status.dueAt],
    ['ran', ranText(status, now) || undefined],
    ['deadline', status.deadlineAt],
    ['tags', status.tags.join(' ') || undefined],
    ['owner', status.owner],
    ['parent', status.parentId],
    ['retry of', status.retryOf],
    ['worker', status.worker],
    ['cache', cacheText(status.cache)],
  ]
  return facts
    .flatMap(([name, value]) => (value === undefined ? [] : [`${terminal.paint('dim', name.padEnd(10))}${value}`]))
    .join('\n')
}

function cacheText(cache: StatusInfo['cache']): string | undefined {
  if (cache?.following !== undefined) return `waits for the result of job ${cache.following}`
  return cache && (cache.hit ? `hit: the result of job ${cache.from ?? 'that was removed'}` : 'miss')
}

function errorText(terminal: Terminal, error: WireError): string {
  const origin = error.origin ? [`  thrown by ${error.origin.task}, job ${error.origin.jobId}`] : []
  const stack = error.stack ? [terminal.paint('dim', printable(error.stack))] : []
  return [terminal.paint('red', `${error.code}: ${printable(error.message)}`), ...origin, ...stack].join('\n')
}

function attemptColumns(now: number): readonly Column<WireAttempt>[] {
  const endOf = ({ endedAt }: WireAttempt) => (endedAt === undefined ? now : Date.parse(endedAt))
  return [
    { title: 'ATTEMPT', text: (attempt) => String(attempt.attempt), align: 'right' },
    { title: 'OUTCOME', text: (attempt) => attempt.outcome },
    { title: 'STARTED', text: (attempt) => attempt.startedAt },
    { title: 'TOOK', text: (attempt) => durationText(endOf(attempt) - Date.parse(attempt.startedAt)) },
    { title: 'ERROR', text: ({ error }) => (error ? `${error.code}: ${error.message}` : ''), isFlexible: true },
  ]
}

const ARTIFACT_COLUMNS: readonly Column<WireArtifact>[] = [
  { title: 'ARTIFACT', text: (artifact) => artifact.name },
  { title: 'BYTES', text: (artifact) => String(artifact.sizeBytes), align: 'right' },
  { title: 'TYPE', text: (artifact) => artifact.mediaType ?? '' },
  { title: 'AT', text: (artifact) => artifact.href, isFlexible: true },
]
