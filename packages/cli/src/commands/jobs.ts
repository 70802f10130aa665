import type { JobPage } from '@headrace/client'
import type { JobState, StatusInfo } from '@headrace/wire'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { ageText } from '../terminal/duration.ts'
import { ranText, stateText, styleOfState } from '../terminal/job-state.ts'
import { type Column, table } from '../terminal/table.ts'

type JobsOptions = {
  readonly state?: JobState
  readonly process?: string
  readonly queue?: string
  readonly tag?: string
  readonly code?: string
  readonly search?: string
  readonly limit: number
  readonly cursor?: string
}

const STATES: readonly JobState[] = ['waiting', 'running', 'succeeded', 'failed', 'cancelled']

/** `headrace jobs` */
export function jobsCommand(cli: Cli): Command {
  return new Command('jobs')
    .description('list jobs, newest first')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(STATES))
    .option('--process <process>', 'only jobs of this process')
    .option('--queue <queue>', 'only jobs of this queue')
    .option('--tag <tag>', 'only jobs with this tag')
    .option('--code <code>', 'only jobs that ended with an error of this code')
    .option('--search <text>', 'only jobs whose id begins with this, or whose process, tags or input contain it')
    .option('--limit <count>', 'how many', parseLimit, 20)
    .option('--cursor <cursor>', 'go on from an earlier list')
    .addHelpText(
      'after',
      examples(
        'headrace jobs',
        'headrace jobs --state failed --limit 50',
        'headrace jobs --process watershed.analyze-land --tag nightly',
        'headrace jobs --search stroud --json',
      ),
    )
    .action(async (_options, command: Command) => {
      const options = optionsOf<JobsOptions>(command)
      const { client } = await connectAs(cli, options)
      const { state, process, queue, tag, code, search, limit, cursor } = options
      const page = await client.jobs({
        limit,
        ...(state && { state }),
        ...(process !== undefined && { process }),
        ...(queue !== undefined && { queue }),
        ...(tag !== undefined && { tag }),
        ...(code !== undefined && { code }),
        ...(search !== undefined && { search }),
        ...(cursor !== undefined && { cursor }),
      })
      present(cli, options, page, () => pageText(cli, page))
      if (!options.json && page.next !== undefined) cli.terminal.note(`There are more: --cursor ${page.next}`)
    })
}

function pageText(cli: Cli, { jobs, next }: JobPage): string {
  if (jobs.length > 0) return table(cli.terminal, columnsAt(Date.now()), jobs)
  return next === undefined ? 'No job is like that.' : 'None of the newest jobs is like that.'
}

function columnsAt(now: number): readonly Column<StatusInfo>[] {
  return [
    { title: 'JOB', text: (job) => job.jobID },
    { title: 'PROCESS', text: (job) => job.processID, isFlexible: true },
    { title: 'STATE', text: stateText, style: (job) => styleOfState(job.state) },
    { title: 'PROGRESS', text: (job) => `${job.progress} %`, align: 'right' },
    { title: 'CREATED', text: (job) => ageText(job.created, now) },
    { title: 'RAN', text: (job) => ranText(job, now) },
    { title: 'TAGS', text: (job) => job.tags.join(' '), isFlexible: true },
  ]
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return limit
  throw new InvalidArgumentError('Give a whole number from 1 to 10000.')
}
