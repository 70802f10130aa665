import type { LimitHolders, StatusInfo, WireLimit } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { ageText } from '../terminal/duration.ts'
import { type Column, table } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** `headrace limits` */
export function limitsCommand(cli: Cli): Command {
  return new Command('limits')
    .description('show the limits by key that are in force, or who holds one and who waits for it')
    .argument('[key]', 'one of them')
    .addHelpText('after', examples('headrace limits', 'headrace limits training:model:12'))
    .action(async (key: string | undefined, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      if (key !== undefined)
        return present(cli, options, await client.limit(key), (limit) => describe(cli.terminal, limit))
      const limits = await client.limits()
      const empty = 'No live job is under a limit.'
      present(cli, options, { limits }, () => (limits.length > 0 ? table(cli.terminal, COLUMNS, limits) : empty))
    })
}

const COLUMNS: readonly Column<WireLimit>[] = [
  { title: 'LIMIT', text: ({ key }) => key, style: () => 'bold' },
  { title: 'MAX', text: ({ max }) => String(max), align: 'right' },
  { title: 'HELD', text: ({ taken }) => String(taken), align: 'right' },
  { title: 'WAITING', text: ({ blocked }) => String(blocked), align: 'right' },
  { title: 'LIVE', text: ({ live }) => String(live), align: 'right' },
]

function describe(terminal: Terminal, { key, max, taken, live, holders, waiters }: LimitHolders): string {
  if (live === 0) return `No live job is under the limit ${key}.`
  const rows = [...holders.map((job) => ({ job, part: 'holds' })), ...waiters.map((job) => ({ job, part: 'waits' }))]
  const columns: readonly Column<{ readonly job: StatusInfo; readonly part: string }>[] = [
    { title: 'JOB', text: ({ job }) => job.jobID },
    { title: 'PROCESS', text: ({ job }) => job.processID },
    { title: 'PERMIT', text: ({ part }) => part, style: ({ part }) => (part === 'holds' ? 'green' : 'yellow') },
    { title: 'CREATED', text: ({ job }) => ageText(job.created, Date.now()) },
  ]
  return `${key}: ${taken} of ${max} are held, ${live} jobs live\n\n${table(terminal, columns, rows)}`
}
