import type { Json } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, type CommonOptions, connectAs, examples, optionsOf } from '../cli.ts'
import type { Connection } from '../connection/connect.ts'
import { findDemoServer } from '../demo/find-demo-server.ts'
import { submitDemo } from '../demo/submit-demo.ts'
import { surveyText } from '../demo/survey-text.ts'
import { conclude } from '../watch/conclude.ts'
import { detachOnInterrupt } from '../watch/detach.ts'
import { watchJob } from '../watch/watch-job.ts'

/** `headrace demo` */
export function demoCommand(cli: Cli): Command {
  return new Command('demo')
    .description('analyse the land cover of a sample watershed, from start to result')
    .addHelpText(
      'after',
      `${examples('headrace demo', 'headrace demo --url http://127.0.0.1:8080')}
Without a server it starts one for the occasion, in a temporary folder, and removes both. The sample is synthetic.
`,
    )
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      const isNamed = Boolean(options.url ?? cli.env.HEADRACE_URL)
      const server = await findDemoServer(cli, isNamed, () => connectAs(cli, options))
      try {
        await analyse(cli, options, server.connection)
      } finally {
        await server.stop()
      }
    })
}

async function analyse(cli: Cli, options: CommonOptions, connection: Connection): Promise<void> {
  const { terminal } = cli
  const job = await submitDemo(connection)
  terminal.note(`Job ${job.id}: the land cover of the sample watershed.`)
  const status = await detachOnInterrupt(job.id, (signal) => watchJob(terminal, job, { signal }))
  conclude(terminal, status)
  const result = await job.result()
  terminal.out(options.json ? toJson({ jobID: job.id, result }) : (surveyText(terminal, result) ?? toJson(result)))
  if (!options.json) terminal.note('The sample is synthetic: its ground is invented, and so are its classes.')
}

function toJson(value: Json): string {
  return JSON.stringify(value, null, 2)
}
