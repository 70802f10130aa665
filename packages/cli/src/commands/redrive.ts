import type { Client, RedriveQuery } from '@headrace/client'
import type { RedriveAnswer, RetryRequest } from '@headrace/wire'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { parseDurationOption } from '../inputs/options.ts'

type Options = {
  readonly task?: string
  readonly queue?: string
  readonly tag?: string
  readonly code?: string
  readonly search?: string
  readonly since?: number
  readonly from?: RetryRequest['from']
  readonly max?: number
  readonly dryRun?: boolean
}

/** In one transaction of the server. */
const STEP = 200

/** All steps together. */
type Total = Omit<RedriveAnswer, 'next'>

/** `headrace redrive` */
export function redriveCommand(cli: Cli): Command {
  return new Command('redrive')
    .description('retry all failed jobs that were not retried before; safe to repeat, no job is retried twice')
    .option('--task <task>', 'only jobs of this task or workflow')
    .option('--queue <queue>', 'only jobs of this queue')
    .option('--tag <tag>', 'only jobs with this tag')
    .option('--code <code>', 'only jobs that ended with an error of this code')
    .option('--search <text>', 'only jobs whose task, tags or input contain this')
    .option('--since <duration>', 'only jobs submitted within the last 90s, 15m, 2h or 30d', parseDurationOption)
    .addOption(new Option('--from <place>', 'where each begins').choices(['start', 'failed-step']))
    .option('--max <count>', 'stop after so many', parseMax)
    .option('--dry-run', 'only say which would be retried')
    .addHelpText(
      'after',
      examples(
        'headrace redrive --task tiles.render --code tile_missing --dry-run',
        'headrace redrive --task tiles.render --code tile_missing --since 2h',
        'headrace redrive --tag nightly --from start --json',
      ),
    )
    .action(async (_options, command: Command) => {
      const options = optionsOf<Options>(command)
      const { client } = await connectAs(cli, options)
      const total = await redriveAll(client, queryOf(options), options.max ?? Number.POSITIVE_INFINITY)
      present(cli, options, total, totalText)
      if (!options.json) for (const { jobID, message } of total.refused) cli.terminal.note(`${jobID}: ${message}`)
    })
}

function queryOf({ task, queue, tag, code, search, since, from, dryRun }: Options): RedriveQuery {
  return {
    ...(task !== undefined && { process: task }),
    ...(queue !== undefined && { queue }),
    ...(tag !== undefined && { tag }),
    ...(code !== undefined && { code }),
    ...(search !== undefined && { search }),
    ...(since !== undefined && { since: new Date(Date.now() - since) }),
    ...(from !== undefined && { from }),
    ...(dryRun !== undefined && { dryRun }),
  }
}

async function redriveAll(client: Client, query: RedriveQuery, max: number): Promise<Total> {
  const retried: RedriveAnswer['retried'][number][] = []
  const refused: RedriveAnswer['refused'][number][] = []
  let cursor: string | undefined
  do {
    const limit = Math.min(STEP, max - retried.length)
    const step = await client.redrive({ ...query, limit, ...(cursor !== undefined && { cursor }) })
    retried.push(...step.retried)
    refused.push(...step.refused)
    cursor = step.next
  } while (cursor !== undefined && retried.length < max)
  return { dryRun: query.dryRun === true, retried, refused }
}

function totalText({ dryRun, retried, refused }: Total): string {
  const jobs = `${retried.length} failed ${retried.length === 1 ? 'job' : 'jobs'}`
  const done = dryRun ? `${jobs} would be retried.` : `${jobs} retried.`
  return refused.length === 0 ? done : `${done} ${refused.length} could not be.`
}

function parseMax(text: string): number {
  const max = Number(text)
  if (Number.isInteger(max) && max >= 1) return max
  throw new InvalidArgumentError('Give a whole number of 1 or more.')
}
