import { writeFile } from 'node:fs/promises'
import { JobCancelledError, JobFailedError } from '@headrace/client'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf } from '../cli.ts'
import { UsageError } from '../errors.ts'

type ResultOptions = { readonly output?: string }

/** `headrace result <id>` */
export function resultCommand(cli: Cli): Command {
  return new Command('result')
    .description('print the outputs of a job that succeeded, as JSON')
    .argument('<id>', 'the job')
    .option('-o, --output <file>', 'write them to a file')
    .addHelpText('after', examples('headrace result 0198c2f0-…', 'headrace result 0198c2f0-… -o survey.json'))
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf<ResultOptions>(command)
      const { client } = await connectAs(cli, options)
      const job = client.job(id)
      const status = await job.status()
      if (status.state === 'failed') throw new JobFailedError(status)
      if (status.state === 'cancelled') throw new JobCancelledError(status)
      if (status.state !== 'succeeded') {
        throw new UsageError(`Job ${id} is ${status.state}, and has no result yet. Wait for it: headrace watch ${id}`)
      }
      const text = JSON.stringify(await job.result(), null, 2)
      if (options.output === undefined) return cli.terminal.out(text)
      await writeFile(options.output, `${text}\n`)
      cli.terminal.note(`The result of job ${id} is in ${options.output}.`)
    })
}
