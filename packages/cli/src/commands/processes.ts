import type { ProcessSummary } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { type Column, table } from '../terminal/table.ts'

const COLUMNS: readonly Column<ProcessSummary>[] = [
  { title: 'PROCESS', text: (process) => process.id, style: () => 'bold' },
  { title: 'VERSION', text: (process) => process.version },
  { title: 'TITLE', text: (process) => process.title, isFlexible: true },
]

/** `headrace processes` */
export function processesCommand(cli: Cli): Command {
  return new Command('processes')
    .description('list what can be submitted')
    .addHelpText('after', examples('headrace processes', 'headrace processes --json'))
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const processes = await client.processes()
      present(cli, options, { processes }, () => table(cli.terminal, COLUMNS, processes))
    })
}
