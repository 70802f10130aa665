import { isEnded } from '@headrace/client'
import type { StatusInfo } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'

/** `headrace cancel <id>` */
export function cancelCommand(cli: Cli): Command {
  return new Command('cancel')
    .description('cancel a job and all that it called')
    .argument('<id>', 'the job')
    .addHelpText('after', examples('headrace cancel 0198c2f0-…'))
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      present(cli, options, await client.job(id).cancel(), cancelText)
    })
}

function cancelText(status: StatusInfo): string {
  if (status.state === 'cancelled') return `Job ${status.jobID} is cancelled.`
  if (isEnded(status)) return `Job ${status.jobID} had ended before: ${status.state}.`
  return `Job ${status.jobID} was asked to stop, and is still stopping. "headrace watch ${status.jobID}" shows its end.`
}
