import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf } from '../cli.ts'

/** `headrace history <id>` */
export function historyCommand(cli: Cli): Command {
  return new Command('history')
    .description('print all that a workflow recorded, to be replayed against newer code')
    .argument('<id>', 'the workflow')
    .addHelpText(
      'after',
      examples('headrace history 0198c2f0-… > survey.json          for replay of @headrace/testing'),
    )
    .action(async (id: string, _options, command: Command) => {
      const { client } = await connectAs(cli, optionsOf(command))
      cli.terminal.out(JSON.stringify(await client.job(id).history(), undefined, 1))
    })
}
