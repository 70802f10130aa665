import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf } from '../cli.ts'
import { parseDurationOption } from '../inputs/options.ts'
import { conclude } from '../watch/conclude.ts'
import { detachOnInterrupt } from '../watch/detach.ts'
import { watchJob } from '../watch/watch-job.ts'

type WatchOptions = { readonly timeout?: number }

/** `headrace watch <id>` */
export function watchCommand(cli: Cli): Command {
  return new Command('watch')
    .description('show a job as it goes on, and exit as it ends')
    .argument('<id>', 'the job')
    .option('--timeout <duration>', 'stop watching after this, such as 90s or 2h; the job goes on', parseDurationOption)
    .addHelpText(
      'after',
      `${examples('headrace watch 0198c2f0-…', 'headrace watch 0198c2f0-… --timeout 10m && headrace result 0198c2f0-…')}
Exits with 0 when the job succeeded, 1 when it failed, 5 when it was cancelled, 124 after --timeout.
Ctrl-C stops watching; the job goes on.
`,
    )
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf<WatchOptions>(command)
      const { client } = await connectAs(cli, options)
      const job = client.job(id)
      await job.status() // a job or a server that is not there is told at once
      const status = await detachOnInterrupt(id, (signal) =>
        watchJob(cli.terminal, job, { signal, timeoutMs: options.timeout }),
      )
      if (options.json) cli.terminal.out(JSON.stringify(status, null, 2))
      conclude(cli.terminal, status)
    })
}
