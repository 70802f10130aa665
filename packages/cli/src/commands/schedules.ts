import type { ScheduleOptions, WireSchedule } from '@headrace/wire'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Cli, type CommonOptions, connectAs, examples, optionsOf, present } from '../cli.ts'
import { collect, parseDurationOption, parseInteger } from '../inputs/options.ts'
import { readInputs } from '../inputs/read-inputs.ts'
import { ageText, durationText } from '../terminal/duration.ts'
import { type Column, table } from '../terminal/table.ts'

type PutOptions = CommonOptions & {
  readonly cron: string
  readonly zone?: string
  readonly input?: string
  readonly overlap?: ScheduleOptions['overlap']
  readonly catchUp?: ScheduleOptions['catchUp']
  readonly catchUpWindow?: number
  readonly jitter?: number
  readonly queue?: string
  readonly priority?: number
  readonly tag?: readonly string[]
  readonly deadline?: number
  readonly owner?: string
}
type BackfillOptions = CommonOptions & { readonly from: string; readonly to: string; readonly concurrency?: number }

/** `headrace schedules` */
export function schedulesCommand(cli: Cli): Command {
  return new Command('schedules')
    .description('what is started by the clock: list, store, pause, run now, fill in')
    .addCommand(listCommand(cli), { isDefault: true })
    .addCommand(showCommand(cli))
    .addCommand(putCommand(cli))
    .addCommand(changeCommand(cli, 'pause', 'fire no more; what falls due meanwhile is not caught up'))
    .addCommand(changeCommand(cli, 'resume', 'fire again, from now on'))
    .addCommand(runCommand(cli))
    .addCommand(backfillCommand(cli))
    .addCommand(deleteCommand(cli))
    .addHelpText(
      'after',
      examples('headrace schedules', "headrace schedules put nightly echo message=hello --cron '30 2 * * *'"),
    )
}

function listCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the schedules, each with its next instant and how its last run stands')
    .addHelpText('after', examples('headrace schedules list', 'headrace schedules --json'))
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const schedules = await client.schedules.list()
      const empty =
        "Nothing is started by the clock. Make a schedule: headrace schedules put <name> <process> --cron '…'"
      const columns = columnsAt(Date.now())
      present(cli, options, { schedules }, () =>
        schedules.length > 0 ? table(cli.terminal, columns, schedules) : empty,
      )
    })
}

function showCommand(cli: Cli): Command {
  return new Command('show')
    .description('show a schedule, with its next five instants')
    .argument('<name>', 'as "headrace schedules" lists it')
    .addHelpText('after', examples('headrace schedules show nightly'))
    .action(async (name: string, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      present(cli, options, await client.schedules.get(name), describe)
    })
}

function putCommand(cli: Cli): Command {
  return new Command('put')
    .description('store a schedule, new or changed; all of it is said anew')
    .argument('<name>', 'letters, digits, ".", "-", "_"')
    .argument('<process>', 'as "headrace processes" lists it')
    .argument('[inputs...]', 'inputs as name=value, or name=@file.json')
    .requiredOption(
      '--cron <expression>',
      'minute, hour, day of month, month, day of week; seconds before them if you like',
    )
    .option('--zone <name>', 'the time zone, such as Europe/Berlin; UTC unless given')
    .option('-i, --input <document>', 'all inputs as one JSON object: @file.json, - for stdin, or the JSON itself')
    .addOption(
      new Option('--overlap <policy>', 'when the last run is still at it').choices([
        'skip',
        'buffer-one',
        'allow',
        'cancel-running',
      ]),
    )
    .addOption(new Option('--catch-up <policy>', 'of instants that were missed').choices(['none', 'one', 'all']))
    .option('--catch-up-window <duration>', 'with --catch-up all: how far back (1d)', parseDurationOption)
    .option('--jitter <duration>', 'each run begins so much later at most', parseDurationOption)
    .option('--queue <queue>', 'instead of the process’s own')
    .option('--priority <number>', 'higher goes first; 0 unless given', parseInteger)
    .option('--tag <tag>', 'a tag of its jobs; may be repeated', collect)
    .option('--deadline <duration>', 'a run fails that has not ended after this', parseDurationOption)
    .option('--owner <owner>', 'whose jobs they are; yours unless given, and only an admin may')
    .addHelpText(
      'after',
      examples(
        "headrace schedules put nightly echo message=hello --cron '30 2 * * *' --zone Europe/Berlin",
        "headrace schedules put sync watershed.analyze-land -i @inputs.json --cron '@hourly' --overlap buffer-one",
      ),
    )
    .action(async (name: string, process: string, pairs: readonly string[], _options, command: Command) => {
      const options = optionsOf<PutOptions>(command)
      const { client } = await connectAs(cli, options)
      const document = { document: options.input, pairs }
      const inputs = await readInputs(await client.process(process), document, globalThis.process.stdin)
      const stored = await client.schedules.put(name, { process, inputs, ...scheduleOf(options) })
      present(cli, options, stored, describe)
    })
}

function scheduleOf(options: PutOptions): Omit<ScheduleOptions, 'process' | 'inputs'> {
  const { cron, zone: timeZone, overlap, catchUp, queue, priority, tag: tags, owner } = options
  const { catchUpWindow: catchUpWindowMs, jitter: jitterMs, deadline: deadlineMs } = options
  const rest = { timeZone, overlap, catchUp, queue, priority, tags, owner, catchUpWindowMs, jitterMs, deadlineMs }
  const given = Object.entries(rest).filter(([, value]) => value !== undefined)
  return { cron, ...Object.fromEntries(given) } // only what was given is stored
}

function changeCommand(cli: Cli, verb: 'pause' | 'resume', about: string): Command {
  return new Command(verb)
    .description(about)
    .argument('<name>', 'as "headrace schedules" lists it')
    .addHelpText('after', examples(`headrace schedules ${verb} nightly`))
    .action(async (name: string, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      present(cli, options, await client.schedules[verb](name), describe)
    })
}

function runCommand(cli: Cli): Command {
  return new Command('run')
    .description('start its process now, beside whatever runs of it, and print the job’s id')
    .argument('<name>', 'as "headrace schedules" lists it')
    .addHelpText(
      'after',
      examples('headrace schedules run nightly', 'headrace watch $(headrace schedules run nightly)'),
    )
    .action(async (name: string, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const job = await client.schedules.run(name)
      cli.terminal.out(options.json ? JSON.stringify(await job.status(), null, 2) : job.id)
    })
}

function backfillCommand(cli: Cli): Command {
  return new Command('backfill')
    .description('start its process for each instant of a span, fired before or not')
    .argument('<name>', 'as "headrace schedules" lists it')
    .requiredOption('--from <instant>', 'the first instant that may be, such as 2026-11-01T00:00:00Z', parseInstant)
    .requiredOption('--to <instant>', 'the first one that may not', parseInstant)
    .option('--concurrency <count>', 'so many of its jobs run at once; 1 unless given', parseInteger)
    .addHelpText(
      'after',
      examples('headrace schedules backfill nightly --from 2026-11-01 --to 2026-11-08 --concurrency 2'),
    )
    .action(async (name: string, _options, command: Command) => {
      const options = optionsOf<BackfillOptions>(command)
      const { from, to, concurrency } = options
      const { client } = await connectAs(cli, options)
      const answer = await client.schedules.backfill(name, {
        from,
        to,
        ...(concurrency !== undefined && { concurrency }),
      })
      present(cli, options, answer, ({ jobIDs }) => {
        const count = jobIDs.length === 1 ? '1 job was' : `${jobIDs.length} jobs were`
        return `${count} submitted. See them: headrace jobs --tag schedule:${name}`
      })
    })
}

function deleteCommand(cli: Cli): Command {
  return new Command('delete')
    .description('delete a schedule; its jobs stay')
    .argument('<name>', 'as "headrace schedules" lists it')
    .addHelpText('after', examples('headrace schedules delete nightly'))
    .action(async (name: string, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      await client.schedules.delete(name)
      present(cli, options, { name, deleted: true }, () => `Schedule ${name} is deleted.`)
    })
}

function columnsAt(now: number): readonly Column<WireSchedule>[] {
  return [
    { title: 'SCHEDULE', text: ({ name }) => name, style: () => 'bold' },
    { title: 'PROCESS', text: ({ process }) => process, isFlexible: true },
    { title: 'CRON', text: ({ cron }) => cron },
    { title: 'ZONE', text: ({ timeZone = 'UTC' }) => timeZone },
    {
      title: 'NEXT',
      text: ({ paused, nextRuns: [next] }) =>
        paused ? 'paused' : next ? `in ${durationText(Date.parse(next) - now)}` : '',
      style: ({ paused }) => (paused ? 'yellow' : undefined),
    },
    { title: 'LAST', text: ({ lastAt }) => (lastAt ? ageText(lastAt, now) : '') },
    {
      title: 'OUTCOME',
      text: ({ lastJob }) => lastJob?.state ?? '',
      style: ({ lastJob }) => (lastJob?.state === 'failed' ? 'red' : undefined),
    },
    { title: 'FIRED', text: ({ fired }) => String(fired), align: 'right' },
    { title: 'SKIPPED', text: ({ skipped }) => String(skipped), align: 'right' },
  ]
}

function describe(schedule: WireSchedule): string {
  const { name, process, inputs, cron, timeZone = 'UTC', paused, nextRuns, lastJob, fired, skipped } = schedule
  const local = (at: string) => `${new Date(at).toLocaleString('sv-SE', { timeZone })} ${timeZone}`
  return [
    `${name}  ${process} ${JSON.stringify(inputs)}`,
    `  cron     ${cron} in ${timeZone}, overlap ${schedule.overlap ?? 'skip'}, catch-up ${schedule.catchUp ?? 'one'}`,
    `  fired    ${fired}, skipped ${skipped}${lastJob ? `, last job ${lastJob.jobID} ${lastJob.state}` : ''}`,
    ...(paused ? ['  paused   nothing is fired until it is resumed'] : nextRuns.map((at) => `  next     ${local(at)}`)),
  ].join('\n')
}

/** @example parseInstant('2026-11-01') // '2026-11-01T00:00:00.000Z' */
function parseInstant(text: string): string {
  const at = /^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw new InvalidArgumentError('Give an instant such as 2026-11-01T00:00:00Z, or a day in UTC.')
  return new Date(at).toISOString()
}
