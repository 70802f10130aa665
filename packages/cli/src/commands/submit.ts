import type { Client, Job } from '@headrace/client'
import { Command } from 'commander'
import { type Cli, type CommonOptions, connectAs, examples, optionsOf } from '../cli.ts'
import { UsageError } from '../errors.ts'
import { collect, parseDurationOption, parseInteger } from '../inputs/options.ts'
import { type Inputs, readInputs, readValue } from '../inputs/read-inputs.ts'
import { conclude } from '../watch/conclude.ts'
import { detachOnInterrupt } from '../watch/detach.ts'
import { watchJob } from '../watch/watch-job.ts'

type SubmitOptions = CommonOptions & {
  readonly input?: string
  readonly canvas?: string
  readonly wait?: boolean
  readonly timeout?: number
  readonly tag?: readonly string[]
  readonly priority?: number
  readonly idempotencyKey?: string
  readonly dryRun?: boolean
  readonly deployment?: string
  /** False: make the result anew. */
  readonly cache: boolean
}

/** `headrace submit <process> [key=value ...]` */
export function submitCommand(cli: Cli): Command {
  return new Command('submit')
    .description('submit a job, and print its id')
    .argument('[process]', 'as "headrace processes" lists it')
    .argument('[inputs...]', 'inputs as name=value, or name=@file.json')
    .option('-i, --input <document>', 'all inputs as one JSON object: @file.json, - for stdin, or the JSON itself')
    .option('--canvas <document>', 'instead of a process: a canvas of them, as @file.json, - or the JSON itself')
    .option('--wait', 'wait for the result, and print that')
    .option('--timeout <duration>', 'with --wait: stop waiting after this; the job goes on', parseDurationOption)
    .option('--tag <tag>', 'a tag to find the job by; may be repeated', collect)
    .option('--priority <number>', 'higher goes first; 0 unless given', parseInteger)
    .option('--deployment <name>', 'the stack that it is for; the active one unless given')
    .option('--idempotency-key <key>', 'with the same key again, no second job is made')
    .option('--no-cache', 'make the result anew, though there is one for these inputs')
    .option('--dry-run', 'check the inputs and print what would be sent')
    .addHelpText(
      'after',
      examples(
        'headrace submit echo message=hello',
        'headrace submit echo message=hello --wait --timeout 30s',
        'headrace submit watershed.analyze-land -i @inputs.json --tag nightly',
        'headrace submit --canvas @canvas.json --wait',
        'cat inputs.json | headrace submit watershed.analyze-land -i -',
        'headrace watch $(headrace submit echo message=hello pause=20)',
      ),
    )
    .action(async (named: string | undefined, pairs: readonly string[], _options, command: Command) => {
      const options = optionsOf<SubmitOptions>(command)
      const { client } = await connectAs(cli, options)
      const { id, inputs } = await readRequest(client, options, named, pairs)
      const { tag: tags, priority, deployment, idempotencyKey } = options
      const asked = {
        ...(tags && { tags }),
        ...(priority !== undefined && { priority }),
        ...(deployment && { deployment }),
      }
      if (options.dryRun) return cli.terminal.out(JSON.stringify({ process: id, inputs, ...asked }, null, 2))
      const job = await client.submit(id, inputs, {
        ...asked,
        ...(idempotencyKey !== undefined && { idempotencyKey }),
        ...(!options.cache && { cache: 'refresh' }),
      })
      await (options.wait ? waitForResult(cli, options, job) : tellSubmitted(cli, options, job))
    })
}

/** What is submitted with which inputs: a process by its name, or the one that runs a canvas. */
async function readRequest(
  client: Client,
  { canvas, input: document }: SubmitOptions,
  named: string | undefined,
  pairs: readonly string[],
): Promise<{ readonly id: string; readonly inputs: Inputs }> {
  if (canvas === undefined && named === undefined) throw new UsageError('Name a process, or give a --canvas.')
  if (canvas === undefined || named !== undefined) {
    if (canvas !== undefined) throw new UsageError('Give a process or a --canvas, not both.')
    const id = named ?? ''
    return { id, inputs: await readInputs(await client.process(id), { document, pairs }, process.stdin) }
  }
  const read = await readValue(canvas, process.stdin)
  if (read === null || typeof read !== 'object' || Array.isArray(read))
    throw new UsageError(
      'A canvas is a JSON object, such as {"chain": [{"call": "echo", "input": {"message": "hello"}}]}.',
    )
  const given = read as Inputs // sound: an object that is no array
  // A node alone is a canvas as well.
  return { id: 'headrace.canvas', inputs: 'canvas' in given ? given : { canvas: given } }
}

async function waitForResult(cli: Cli, options: SubmitOptions, job: Job): Promise<void> {
  if (cli.terminal.isLive) cli.terminal.note(`Submitted job ${job.id}.`)
  const status = await detachOnInterrupt(job.id, (signal) =>
    watchJob(cli.terminal, job, { signal, timeoutMs: options.timeout }),
  )
  conclude(cli.terminal, status)
  cli.terminal.out(JSON.stringify(await job.result(), null, 2))
}

/** The id alone on stdout, so that it can be passed on. */
async function tellSubmitted(cli: Cli, options: SubmitOptions, job: Job): Promise<void> {
  if (options.json) return cli.terminal.out(JSON.stringify(await job.status(), null, 2))
  cli.terminal.out(job.id)
  if (cli.terminal.isLive) cli.terminal.note(`Watch it: headrace watch ${job.id}`)
}
