import type { WorkerList } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { ageText } from '../terminal/duration.ts'
import { type Column, table } from '../terminal/table.ts'

type Worker = WorkerList['workers'][number]

/** `headrace workers` */
export function workersCommand(cli: Cli): Command {
  return new Command('workers')
    .description('show who takes jobs')
    .addHelpText('after', examples('headrace workers', 'headrace workers --json'))
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const workers = await client.workers()
      const empty = 'No worker is there, so jobs wait. Start one with "headrace worker".'
      const columns = columnsAt(Date.now())
      present(cli, options, { workers }, () => (workers.length > 0 ? table(cli.terminal, columns, workers) : empty))
    })
}

function columnsAt(now: number): readonly Column<Worker>[] {
  return [
    { title: 'WORKER', text: (worker) => worker.name, style: () => 'bold' },
    { title: 'HOST', text: (worker) => worker.host.split('/')[0] ?? '' },
    { title: 'PID', text: (worker) => String(worker.pid), align: 'right' },
    { title: 'RUNNING', text: (worker) => String(worker.running), align: 'right' },
    { title: 'SLOTS', text: slotsText, isFlexible: true },
    { title: 'STARTED', text: (worker) => ageText(worker.startedAt, now) },
    {
      title: 'LEASE',
      text: (worker) => (isAlive(worker, now) ? 'held' : 'lapsed'),
      style: (worker) => (isAlive(worker, now) ? 'green' : 'red'),
    },
  ]
}

function slotsText({ queues }: Worker): string {
  return Object.entries(queues)
    .map(([queue, slots]) => `${queue}=${slots}`)
    .join(' ')
}

function isAlive(worker: Worker, now: number): boolean {
  return Date.parse(worker.leaseUntil) > now
}
