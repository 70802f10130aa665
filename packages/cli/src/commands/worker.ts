import type { Resources } from '@headrace/engine'
import { Command } from 'commander'
import {
  type ArtifactsOptions,
  artifactsOption,
  type Cli,
  type CommonOptions,
  deploymentOption,
  examples,
  optionsOf,
  type StoreOptions,
  storeOption,
} from '../cli.ts'
import { requireDataFolder } from '../data-folder.ts'
import { collect, parseInteger, parseOffer, parseQueues } from '../inputs/options.ts'
import { isPostgresUrl, storeName } from '../open-store.ts'
import { stopSignal } from '../serve/stop-signal.ts'

type WorkerCommandOptions = CommonOptions &
  ArtifactsOptions &
  StoreOptions & {
    readonly queues?: Readonly<Record<string, number>>
    readonly concurrency?: number
    readonly name?: string
    readonly deployment?: string
    readonly label?: readonly string[]
    readonly offer?: Resources
  }

const GRACE_MS = 10_000

/** `headrace worker` */
export function workerCommand(cli: Cli): Command {
  return new Command('worker')
    .description('take jobs of a data folder, in a process of its own')
    .option('--queues <queues>', 'how many jobs of which queue at once, such as geo=4,default=10', parseQueues)
    .option('--concurrency <count>', 'without --queues: how many jobs of each queue at once (10)', parseInteger)
    .option('--name <name>', 'what "headrace workers" calls it')
    .addOption(deploymentOption())
    .option('--label <label>', 'what jobs may ask for, such as gpu or region=eu; may be repeated', collect)
    .option('--offer <amount>', 'what jobs may need of it in all, such as memoryMb=16000; may be repeated', parseOffer)
    .addOption(artifactsOption())
    .addOption(storeOption())
    .addHelpText(
      'after',
      examples(
        'headrace worker',
        'headrace worker --queues geo=4 --name geo-1',
        'headrace worker --queues training=1 --label gpu --offer gpuMemoryMb=24000 --offer slots.licence=1',
        'headrace worker --deployment green',
        'headrace worker --data /var/lib/headrace',
        'headrace worker --store postgres://headrace@db.example/headrace',
      ),
    )
    .action(async (_options, command: Command) => work(cli, optionsOf<WorkerCommandOptions>(command)))
}

async function work({ terminal }: Cli, options: WorkerCommandOptions): Promise<void> {
  // With the jobs in a database, any folder will do for the rest.
  if (!isPostgresUrl(options.store)) await requireDataFolder(options.data)
  const stop = stopSignal()
  const { compose } = await import('../compose.ts') // the apps, which most commands do without
  const { engine, dataDir, close } = await compose(options.data, options)
  const { queues, concurrency, name, label: labels, offer: offers } = options
  const worker = await engine.startWorker({
    ...(labels && { labels }),
    ...(offers && { offers }),
    ...(queues && { queues }),
    ...(concurrency !== undefined && { concurrency }),
    ...(name !== undefined && { name }),
  })
  if (options.json) terminal.out(JSON.stringify({ workerId: worker.id, dataDir, pid: process.pid }))
  else terminal.out(`Worker ${name ?? worker.id} takes jobs of ${storeName(dataDir, options.store)}.`)
  // Timers of the engine do not keep a process alive by themselves.
  const alive = setInterval(() => undefined, 2 ** 30)
  const signal = await Promise.race([stop, worker.stopped.then(() => undefined)])
  clearInterval(alive)
  if (signal === undefined) terminal.note('It was drained: it was asked to take no more jobs.')
  else terminal.note(`${signal}: stopping. Running jobs have ${GRACE_MS / 1_000} s; again to end at once.`)
  await worker.stop({ graceMs: GRACE_MS })
  await close()
  terminal.note('Stopped. What was not done is left to the other workers.')
}
