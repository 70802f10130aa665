import type { Keep, RetentionPolicy, WireRetention } from '@headrace/wire'
import { Command, InvalidArgumentError } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { collectedLines, WAITING } from './collected-lines.ts'

type State = keyof Keep
/** One time, of a state, of all tasks or of one. */
type Wish = { readonly task: string | undefined; readonly state: State; readonly time: string }

/** `headrace retention` */
export function retentionCommand(cli: Cli): Command {
  return new Command('retention')
    .description('show, or set, how long ended jobs are kept, and artifacts that nothing names')
    .option(
      '--keep <state=time>',
      'succeeded=30d, failed=90d or cancelled=forever; for one task task.name:succeeded=1d; may be repeated',
      collectWish,
    )
    .option(
      '--keep-artifacts <time>',
      'artifacts after they were put, and after the last job that named them has gone: 7d, 12h, forever',
    )
    .addHelpText(
      'after',
      examples(
        'headrace retention',
        'headrace retention --keep succeeded=7d --keep failed=forever --keep tiles.render:succeeded=1d',
        'headrace retention --keep-artifacts 30d',
      ),
    )
    .action(async (_options, command: Command) => {
      const options = optionsOf<{ readonly keep?: readonly Wish[]; readonly keepArtifacts?: string }>(command)
      const { client } = await connectAs(cli, options)
      const before = await client.retention()
      const { keep: wishes = [], keepArtifacts: artifacts = before.artifacts } = options
      const isChanged = wishes.length > 0 || options.keepArtifacts !== undefined
      const after = isChanged
        ? await client.setRetention({ ...withWishes(before, wishes), ...(artifacts !== undefined && { artifacts }) })
        : before
      present(cli, options, after, retentionText)
    })
}

/** What is not named stays as it is. */
function withWishes({ keep, tasks = {}, queues }: WireRetention, wishes: readonly Wish[]): RetentionPolicy {
  let policy: RetentionPolicy = { keep, tasks, ...(queues !== undefined && { queues }) }
  for (const { task, state, time } of wishes) {
    if (task === undefined) policy = { ...policy, keep: { ...policy.keep, [state]: time } }
    else policy = { ...policy, tasks: { ...policy.tasks, [task]: { ...policy.tasks?.[task], [state]: time } } }
  }
  return policy
}

function retentionText({
  keep,
  tasks = {},
  queues = {},
  artifacts,
  isDefault,
  pass,
  artifactPass,
}: WireRetention): string {
  const lines = [
    `all jobs: ${keepText(keep)}${isDefault ? ' (the default)' : ''}`,
    ...Object.entries(tasks).map(([name, one]) => `task ${name}: ${keepText(one)}`),
    ...Object.entries(queues).map(([name, one]) => `queue ${name}: ${keepText(one)}`),
    ...(artifacts === undefined ? [] : [`artifacts that nothing names: ${timeText(artifacts)}`]),
  ]
  if (pass !== undefined)
    lines.push(`last pass: ${pass.startedAt}, ${pass.prunedJobs} jobs removed${pass.endedAt ? '' : ' so far'}`)
  if (artifactPass !== undefined) {
    const { startedAt, endedAt, progress } = artifactPass
    const far = `${progress.names} names read, ${progress.artifacts} artifacts looked at`
    lines.push(`last pass over the artifacts: ${startedAt}${endedAt ? '' : `, ${far} so far`}`)
    if (progress.isWaiting) lines.push(WAITING)
    lines.push(...collectedLines(artifactPass, endedAt ? 'removed' : 'removed so far'))
  }
  return lines.join('\n')
}

function keepText(keep: Keep): string {
  return Object.entries(keep)
    .map(([state, time]) => `${state} ${timeText(time)}`)
    .join(', ')
}

function timeText(time: string | number): string {
  return typeof time === 'number' ? `${time} ms` : time
}

function collectWish(text: string, before: readonly Wish[] = []): readonly Wish[] {
  const [, task, state, time] = /^(?:(.+):)?(succeeded|failed|cancelled)=(\w+)$/.exec(text) ?? []
  if (state === undefined || time === undefined)
    throw new InvalidArgumentError(
      'Give it as succeeded=30d, failed=90d, cancelled=forever, or task.name:succeeded=1d.',
    )
  return [...before, { task, state: state as State, time }] // sound: the pattern names no others
}
