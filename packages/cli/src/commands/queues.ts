import type { QueuePatch, WireQueue, WireRate } from '@headrace/wire'
import { Command, InvalidArgumentError } from 'commander'
import { type Cli, type CommonOptions, connectAs, examples, optionsOf, present } from '../cli.ts'
import { UsageError } from '../errors.ts'
import { ageText, durationText, parseDuration } from '../terminal/duration.ts'
import { oneLine } from '../terminal/printable.ts'
import { type Column, table } from '../terminal/table.ts'

type SetOptions = CommonOptions & {
  readonly rate?: WireRate | null
  readonly fair?: boolean
  readonly share?: Readonly<Record<string, number>>
}

/** `headrace queues` */
export function queuesCommand(cli: Cli): Command {
  return new Command('queues')
    .description('show what waits and runs in each queue, and pause, resume or set one')
    .addCommand(changeCommand(cli, 'pause', { paused: true }, 'begin no more jobs of a queue; what runs goes on'))
    .addCommand(changeCommand(cli, 'resume', { paused: false }, 'begin its jobs again'))
    .addCommand(setCommand(cli))
    .addHelpText(
      'after',
      examples(
        'headrace queues',
        'headrace queues pause geo',
        'headrace queues set geo --rate 10/1s',
        'headrace queues set geo --fair --share ada=2',
      ),
    )
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const queues = await client.queues()
      const empty = 'No queue has a job waiting or running.'
      const columns = columnsAt(Date.now())
      present(cli, options, { queues }, () => (queues.length > 0 ? table(cli.terminal, columns, queues) : empty))
    })
}

function changeCommand(cli: Cli, name: string, change: QueuePatch, about: string): Command {
  return new Command(name)
    .description(about)
    .argument('<queue>', 'its name')
    .addHelpText('after', examples(`headrace queues ${name} geo`))
    .action((queue: string, _options, command: Command) => configure(cli, optionsOf(command), queue, change))
}

function setCommand(cli: Cli): Command {
  return new Command('set')
    .description('set how fast a queue begins its jobs, and whether its owners take turns')
    .argument('<queue>', 'its name')
    .option('--rate <rate>', 'at most so many jobs are begun per time: 10/1s, 600/1m; none takes it away', parseRate)
    .option('--fair', 'among equals in priority, its owners take turns')
    .option('--no-fair', 'its jobs come in the order in which they are due')
    .option('--share <owner=weight>', 'how many turns an owner has for one of the others; may be repeated', parseShare)
    .addHelpText(
      'after',
      examples(
        'headrace queues set geo --rate 10/1s',
        'headrace queues set geo --rate none',
        'headrace queues set geo --fair --share ada=2 --share night=0.5',
      ),
    )
    .action((queue: string, _options, command: Command) => {
      const options = optionsOf<SetOptions>(command)
      const { rate, fair, share: shares } = options
      const change = {
        ...(rate !== undefined && { rate }),
        ...(fair !== undefined && { fair }),
        ...(shares !== undefined && { shares }),
      }
      if (Object.keys(change).length === 0)
        throw new UsageError('Say what to set: --rate, --fair, --no-fair or --share; see --help.')
      return configure(cli, options, queue, change)
    })
}

async function configure(cli: Cli, options: CommonOptions, name: string, change: QueuePatch): Promise<void> {
  const { client } = await connectAs(cli, options)
  present(cli, options, await client.configureQueue(name, change), settingsText)
}

/** @example settingsText({ queue: 'geo', paused: false, rate: { count: 10, perMs: 1_000 }, … }) // 'Queue geo takes jobs, 10 per 1.0 s at most.' */
function settingsText({ queue, paused, rate, fair, shares = {}, notice }: WireQueue): string {
  const weights = Object.entries(shares).map(([owner, weight]) => `${owner} ${weight}`)
  const parts = [
    paused ? `Queue ${queue} is paused` : `Queue ${queue} takes jobs`,
    ...(rate ? [`${rateText(rate)} at most`] : []),
    ...(fair ? ['its owners take turns'] : []),
    ...(weights.length > 0 ? [`weights ${weights.join(', ')}`] : []),
  ]
  return `${parts.join(', ')}.${notice === undefined ? '' : ` ${oneLine(notice)}`}`
}

function columnsAt(now: number): readonly Column<WireQueue>[] {
  const count = (title: string, of: (queue: WireQueue) => number): Column<WireQueue> => ({
    title,
    text: (queue) => String(of(queue)),
    align: 'right',
  })
  return [
    { title: 'QUEUE', text: ({ queue }) => queue, style: () => 'bold' },
    {
      title: 'STATE',
      text: ({ paused }) => (paused ? 'paused' : 'open'),
      style: ({ paused }) => (paused ? 'yellow' : undefined),
    },
    count('WAITING', ({ waiting }) => waiting),
    { title: 'OLDEST', text: ({ oldestDueAt }) => (oldestDueAt ? ageText(oldestDueAt, now) : '') },
    count('SCHEDULED', ({ scheduled }) => scheduled),
    count('BLOCKED', ({ blocked }) => blocked),
    count('RUNNING', ({ running }) => running),
    { title: 'WAITED', text: ({ times }) => (times?.waitMs ? durationText(times.waitMs.p50) : ''), align: 'right' },
    { title: 'RAN', text: ({ times }) => (times?.runMs ? durationText(times.runMs.p50) : ''), align: 'right' },
    { title: 'RATE', text: ({ rate }) => (rate ? rateText(rate) : '') },
  ]
}

function rateText({ count, perMs }: WireRate): string {
  return `${count} per ${durationText(perMs)}`
}

/** @example parseRate('10/1s') // { count: 10, perMs: 1000 } */
function parseRate(text: string): WireRate | null {
  if (text === 'none') return null
  const [, count = '', per = ''] = /^(\d{1,7})\/(.+)$/.exec(text) ?? []
  const perMs = parseDuration(/^\d/.test(per) ? per : `1${per}`)
  if (count !== '' && perMs !== undefined) return { count: Number(count), perMs }
  throw new InvalidArgumentError('Give a number of jobs per time, such as 10/1s or 600/1m, or none.')
}

function parseShare(text: string, before: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  const equals = text.lastIndexOf('=')
  const weight = Number(text.slice(equals + 1))
  if (equals > 0 && text.length > equals + 1 && Number.isFinite(weight))
    return { ...before, [text.slice(0, equals)]: weight }
  throw new InvalidArgumentError('Give an owner and a weight, such as ada=2.')
}
