import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { parseDurationOption } from '../inputs/options.ts'

type Options = { readonly olderThan?: number; readonly dryRun?: boolean }

/** `headrace prune` */
export function pruneCommand(cli: Cli): Command {
  return new Command('prune')
    .description('remove ended jobs whose time has passed now, instead of waiting for the hourly pass')
    .option(
      '--older-than <duration>',
      'all that ended longer ago than this, instead of what "headrace retention" says',
      parseDurationOption,
    )
    .option('--dry-run', 'only count them')
    .addHelpText('after', examples('headrace prune --dry-run', 'headrace prune --older-than 30d'))
    .action(async (_options, command: Command) => {
      const options = optionsOf<Options>(command)
      const { client } = await connectAs(cli, options)
      const dryRun = options.dryRun === true
      let jobs = 0
      let cursor: string | undefined
      do {
        const step = await client.prune({
          dryRun,
          ...(options.olderThan !== undefined && { olderThanMs: options.olderThan }),
          ...(cursor !== undefined && { cursor }),
        })
        jobs += step.jobs
        cursor = step.next
      } while (cursor !== undefined)
      const text = `${jobs} ${jobs === 1 ? 'job' : 'jobs'} ${dryRun ? 'would be removed.' : 'removed.'}`
      present(cli, options, { dryRun, jobs }, () => text)
    })
}
