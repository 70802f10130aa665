import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { UsageError } from '../errors.ts'

type PurgeOptions = { readonly task?: string; readonly all?: boolean }

/** `headrace cache purge` */
export function cacheCommand(cli: Cli): Command {
  const purge = new Command('purge')
    .description('forget stored results, so that they are made anew')
    .option('--task <task>', 'those of one task')
    .option('--all', 'all of them')
    .addHelpText('after', examples('headrace cache purge --task watershed.count-tile', 'headrace cache purge --all'))
    .action(async (_options, command: Command) => {
      const options = optionsOf<PurgeOptions>(command)
      const { task, all } = options
      if (task === undefined && all !== true) throw new UsageError('Say which results: --task <task>, or --all.')
      const { client } = await connectAs(cli, options)
      const purged = await client.purgeCache(task === undefined ? {} : { task })
      present(
        cli,
        options,
        { purged },
        () => `${purged} stored ${purged === 1 ? 'result is' : 'results are'} forgotten.`,
      )
    })
  return new Command('cache')
    .description('results that are used again')
    .addCommand(purge)
    .addHelpText('after', examples('headrace cache purge --all'))
}
