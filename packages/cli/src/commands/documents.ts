import { Command } from 'commander'
import { type Cli, type CommonOptions, connectAs, examples, optionsOf, present } from '../cli.ts'
import { parseInteger } from '../inputs/options.ts'

type RetryOptions = CommonOptions & { readonly page?: readonly number[] }

/** `headrace documents` */
export function documentsCommand(cli: Cli): Command {
  return new Command('documents')
    .description('read the failed pages of documents again')
    .addCommand(retryCommand(cli))
    .addHelpText('after', examples('headrace documents retry 0198c2f0-…'))
}

function retryCommand(cli: Cli): Command {
  return new Command('retry')
    .description('read the failed pages of an ended document again, and no others')
    .argument('<id>', 'its job')
    .option('--page <number>', 'only this failed page; may be repeated', collectPages)
    .addHelpText(
      'after',
      examples(
        'headrace documents retry 0198c2f0-…',
        'headrace documents retry 0198c2f0-… --page 3 --page 7',
        'headrace watch $(headrace documents retry 0198c2f0-…)',
      ),
    )
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf<RetryOptions>(command)
      const { client } = await connectAs(cli, options)
      const job = await client.documents.retry(id, { pages: options.page })
      // The id alone on stdout, so that it can be passed on.
      present(cli, options, { jobID: job.id, retryOf: id }, () => job.id)
    })
}

function collectPages(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, parseInteger(text)]
}
