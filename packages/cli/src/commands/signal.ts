import type { Json } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { readValue } from '../inputs/read-inputs.ts'

type Options = { readonly idempotencyKey?: string }

/** `headrace signal <id> <name> [value]` */
export function signalCommand(cli: Cli): Command {
  return new Command('signal')
    .description('send a workflow a signal that it waits for, now or later')
    .argument('<id>', 'the workflow')
    .argument('<name>', 'what it waits for')
    .argument('[value]', 'JSON, @file.json, or - for stdin; null when left out')
    .option('--idempotency-key <key>', 'makes a repetition harmless')
    .addHelpText(
      'after',
      examples(
        `headrace signal 0198c2f0-… review '{"approved": true}'`,
        'headrace signal 0198c2f0-… labels @labels.json',
      ),
    )
    .action(async (id: string, name: string, value: string | undefined, _options, command: Command) => {
      const options = optionsOf<Options>(command)
      const read: Json = value === undefined ? null : await readValue(value, process.stdin)
      const { client } = await connectAs(cli, options)
      const { idempotencyKey: key } = options
      const answer = await client.job(id).signal(name, read, key === undefined ? {} : { key })
      const text = { delivered: `Job ${id} has it.`, kept: `Job ${id} gets it when it waits for ${name}.` }
      present(cli, options, answer, ({ outcome }) => text[outcome])
    })
}
