import type { WireWorker } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { UsageError } from '../errors.ts'
import { parseDurationOption } from '../inputs/options.ts'
import { ageText } from '../terminal/duration.ts'
import { type Column, table } from '../terminal/table.ts'

type Worker = WireWorker

/** `headrace workers` */
export function workersCommand(cli: Cli): Command {
  return new Command('workers')
    .description('show who takes jobs, and drain one')
    .addCommand(drainCommand(cli))
    .addHelpText('after', examples('headrace workers', 'headrace workers --json', 'headrace workers drain 0198c2f0-…'))
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const workers = await client.workers()
      const empty = 'No worker is there, so jobs wait. Start one with "headrace worker".'
      const columns = columnsAt(Date.now())
      present(cli, options, { workers }, () => (workers.length > 0 ? table(cli.terminal, columns, workers) : empty))
    })
}

function drainCommand(cli: Cli): Command {
  return new Command('drain')
    .description('ask a worker to take no more jobs, to end what it runs or hand it back unharmed, and to stop')
    .argument('<id>', 'its id, or the end of it, as "headrace workers" shows it')
    .option('--grace <duration>', 'how long what runs may take to end (30s)', parseDurationOption)
    .addHelpText('after', examples('headrace workers drain 0198c2f0-…', 'headrace workers drain a1b2c3 --grace 10m'))
    .action(async (text: string, _options, command: Command) => {
      const options = optionsOf<{ readonly grace?: number }>(command)
      const { client } = await connectAs(cli, options)
      const found = (await client.workers()).filter(({ id }) => id.endsWith(text))
      if (found.length > 1) throw new UsageError(`The ids of ${found.length} workers end in ${text}. Give more of it.`)
      const id = found[0]?.id ?? text
      await client.drainWorker(id, options.grace === undefined ? {} : { graceMs: options.grace })
      present(cli, options, { id, draining: true }, () => `Worker ${id} takes no more jobs, and stops when it is done.`)
    })
}

function columnsAt(now: number): readonly Column<Worker>[] {
  return [
    { title: 'WORKER', text: (worker) => worker.name, style: () => 'bold' },
    { title: 'ID', text: (worker) => worker.id.slice(-12) },
    { title: 'HOST', text: (worker) => worker.host.split('/')[0] ?? '' },
    { title: 'PID', text: (worker) => String(worker.pid), align: 'right' },
    { title: 'RUNNING', text: (worker) => String(worker.running), align: 'right' },
    { title: 'SLOTS', text: slotsText, isFlexible: true },
    { title: 'LABELS', text: (worker) => worker.labels.join(' '), isFlexible: true },
    { title: 'FREE', text: freeText, isFlexible: true },
    { title: 'DEPLOYMENT', text: (worker) => worker.deployment ?? '' },
    { title: 'STARTED', text: (worker) => ageText(worker.startedAt, now) },
    {
      title: 'LEASE',
      text: (worker) => (worker.draining ? 'draining' : isAlive(worker, now) ? 'held' : 'lapsed'),
      style: (worker) => (worker.draining ? 'yellow' : isAlive(worker, now) ? 'green' : 'red'),
    },
  ]
}

function slotsText({ queues }: Worker): string {
  return Object.entries(queues)
    .map(([queue, slots]) => `${queue}=${slots}`)
    .join(' ')
}

/** @example freeText({ resources: { cpu: { total: 4, free: 1.5 } }, … }) // 'cpu 1.5/4' */
function freeText({ resources }: Worker): string {
  return Object.entries(resources)
    .map(([name, { free, total }]) => `${name} ${free}/${total}`)
    .join(' ')
}

function isAlive(worker: Worker, now: number): boolean {
  return Date.parse(worker.leaseUntil) > now
}
