import type { Collected, PruneAnswer } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { parseDurationOption } from '../inputs/options.ts'
import { collectedLines, WAITING } from './collected-lines.ts'

type Options = { readonly olderThan?: number; readonly dryRun?: boolean }

/** `headrace prune` */
export function pruneCommand(cli: Cli): Command {
  return new Command('prune')
    .description(
      'remove ended jobs whose time has passed, and artifacts that nothing names, now, instead of waiting for the next pass',
    )
    .option(
      '--older-than <duration>',
      'all jobs that ended longer ago than this, instead of what "headrace retention" says',
      parseDurationOption,
    )
    .option('--dry-run', 'only count them')
    .addHelpText('after', examples('headrace prune --dry-run', 'headrace prune --older-than 30d'))
    .action(async (_options, command: Command) => {
      const options = optionsOf<Options>(command)
      const { client } = await connectAs(cli, options)
      const dryRun = options.dryRun === true
      let jobs = 0
      let artifacts: Collected | undefined
      let cursor: string | undefined
      let isWaiting = false
      do {
        const step = await client.prune({
          dryRun,
          ...(options.olderThan !== undefined && { olderThanMs: options.olderThan }),
          ...(cursor !== undefined && { cursor }),
        })
        jobs += step.jobs
        artifacts = step.artifacts
        cursor = step.next
        if (step.isWaiting && !isWaiting) cli.terminal.note(WAITING)
        isWaiting = step.isWaiting === true
      } while (cursor !== undefined)
      const answer = { dryRun, jobs, ...(artifacts && { artifacts }) }
      present(cli, options, answer, () => pruneText(answer))
    })
}

function pruneText({ dryRun, jobs, artifacts }: PruneAnswer): string {
  const verb = dryRun ? 'would be removed' : 'removed'
  const lines = [`${jobs} ${jobs === 1 ? 'job' : 'jobs'} ${verb}.`]
  if (artifacts !== undefined) lines.push(...collectedLines(artifacts, verb))
  return lines.join('\n')
}
