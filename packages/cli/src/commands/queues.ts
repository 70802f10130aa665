import type { QueueList } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { type Column, table } from '../terminal/table.ts'

const COLUMNS: readonly Column<QueueList['queues'][number]>[] = [
  { title: 'QUEUE', text: (queue) => queue.queue, style: () => 'bold' },
  { title: 'WAITING', text: (queue) => String(queue.waiting), align: 'right' },
  { title: 'SCHEDULED', text: (queue) => String(queue.scheduled), align: 'right' },
  { title: 'RUNNING', text: (queue) => String(queue.running), align: 'right' },
]

/** `headrace queues` */
export function queuesCommand(cli: Cli): Command {
  return new Command('queues')
    .description('show how many jobs wait and run in each queue')
    .addHelpText('after', examples('headrace queues', 'headrace queues --json'))
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const queues = await client.queues()
      const empty = 'No queue has a job waiting or running.'
      present(cli, options, { queues }, () => (queues.length > 0 ? table(cli.terminal, COLUMNS, queues) : empty))
    })
}
