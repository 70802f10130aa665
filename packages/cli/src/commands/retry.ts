import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'

/** `headrace retry <id>` */
export function retryCommand(cli: Cli): Command {
  return new Command('retry')
    .description('submit an ended job again, as a new job with the same inputs')
    .argument('<id>', 'the ended job')
    .addHelpText('after', examples('headrace retry 0198c2f0-…', 'headrace watch $(headrace retry 0198c2f0-…)'))
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const job = await client.job(id).retry()
      // The id alone on stdout, so that it can be passed on.
      present(cli, options, { jobID: job.id, retryOf: id }, () => job.id)
    })
}
