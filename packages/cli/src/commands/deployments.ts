import type { WireDeployment } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, type CommonOptions, connectAs, examples, optionsOf, present } from '../cli.ts'
import { ageText } from '../terminal/duration.ts'
import { type Column, table } from '../terminal/table.ts'

type RetireOptions = CommonOptions & { readonly force?: boolean }
type Verb = 'promote' | 'drain' | 'retire'

/** `headrace deployments` */
export function deploymentsCommand(cli: Cli): Command {
  return new Command('deployments')
    .description('the stacks of workers and jobs: list, promote, drain, retire')
    .addCommand(listCommand(cli), { isDefault: true })
    .addCommand(verbCommand(cli, 'promote', 'give it the jobs that name no deployment; the active one drains'))
    .addCommand(verbCommand(cli, 'drain', 'give it no new jobs; it retires by itself when it has none'))
    .addCommand(
      verbCommand(cli, 'retire', 'give it nothing any more').option('--force', 'cancel what still lives of it'),
    )
    .addHelpText('after', examples('headrace deployments', 'headrace deployments promote green'))
}

function listCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the stacks, with their state, workers and jobs')
    .addHelpText('after', examples('headrace deployments list', 'headrace deployments --json'))
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const deployments = await client.deployments()
      const empty = 'No worker or job names a deployment. Start a worker of one: headrace worker --deployment blue'
      const columns = columnsAt(Date.now())
      present(cli, options, { deployments }, () =>
        deployments.length > 0 ? table(cli.terminal, columns, deployments) : empty,
      )
    })
}

function verbCommand(cli: Cli, verb: Verb, about: string): Command {
  return new Command(verb)
    .description(about)
    .argument('<name>', 'as "headrace deployments" lists it')
    .addHelpText('after', examples(`headrace deployments ${verb} blue`))
    .action(async (name: string, _options, command: Command) => {
      const options = optionsOf<RetireOptions>(command)
      const { client } = await connectAs(cli, options)
      const changed = await client.changeDeployment(name, verb, options.force ? { force: true } : {})
      present(cli, options, changed, ({ state, waiting, running }) => {
        return `Deployment ${name} is ${state}; ${waiting} of its jobs wait and ${running} run.`
      })
    })
}

function columnsAt(now: number): readonly Column<WireDeployment>[] {
  return [
    { title: 'DEPLOYMENT', text: ({ name }) => name, style: () => 'bold' },
    {
      title: 'STATE',
      text: ({ state }) => state,
      style: ({ state }) => (state === 'active' ? 'green' : state === 'draining' ? 'yellow' : undefined),
    },
    { title: 'WORKERS', text: ({ workers }) => String(workers), align: 'right' },
    { title: 'WAITING', text: ({ waiting }) => String(waiting), align: 'right' },
    { title: 'RUNNING', text: ({ running }) => String(running), align: 'right' },
    { title: 'CHANGED', text: ({ changedAt }) => ageText(changedAt, now) },
  ]
}
