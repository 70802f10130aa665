import type { RetryRequest } from '@headrace/wire'
import { Command, Option } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { readValue } from '../inputs/read-inputs.ts'

type Options = { readonly from?: RetryRequest['from']; readonly input?: string; readonly idempotencyKey?: string }

/** `headrace retry <id>` */
export function retryCommand(cli: Cli): Command {
  return new Command('retry')
    .description('submit an ended job again, as a new job; a workflow goes on from the step that failed')
    .argument('<id>', 'the ended job')
    .addOption(new Option('--from <place>', 'where to begin').choices(['start', 'failed-step']))
    .option(
      '--input <json>',
      'another input: JSON, @file.json, or - for stdin; steps that are taken over keep their outcomes',
    )
    .option('--idempotency-key <key>', 'makes a repetition harmless')
    .addHelpText(
      'after',
      examples(
        'headrace retry 0198c2f0-…',
        'headrace retry 0198c2f0-… --from start --input @input.json',
        'headrace watch $(headrace retry 0198c2f0-…)',
      ),
    )
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf<Options>(command)
      const { from, idempotencyKey } = options
      const input = options.input === undefined ? undefined : await readValue(options.input, process.stdin)
      const { client } = await connectAs(cli, options)
      const job = await client.job(id).retry({
        ...(from !== undefined && { from }),
        ...(input !== undefined && { input }),
        ...(idempotencyKey !== undefined && { idempotencyKey }),
      })
      // The id alone on stdout, so that it can be passed on.
      present(cli, options, { jobID: job.id, retryOf: id }, () => job.id)
    })
}
