import type { QueueCounts, WorkerRow } from '@headrace/engine'

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number }
type Metric = { readonly name: string; readonly help: string; readonly samples: readonly Sample[] }

/** Queues and workers in Prometheus's text format, all as gauges. */
export function toPrometheus(seen: {
  readonly queues: readonly QueueCounts[]
  readonly workers: readonly WorkerRow[]
  readonly eventStreams: number
  readonly version: string
}): string {
  const { queues, workers, eventStreams, version } = seen
  const byQueue = (state: 'waiting' | 'scheduled' | 'blocked' | 'running') =>
    queues.map((queue) => ({ labels: { queue: queue.queue, state }, value: queue[state] }))
  const metrics: readonly Metric[] = [
    { name: 'headrace_info', help: 'This server.', samples: [{ labels: { version }, value: 1 }] },
    {
      name: 'headrace_jobs',
      help: 'Jobs that have not ended, by queue and state.',
      samples: [...byQueue('waiting'), ...byQueue('scheduled'), ...byQueue('blocked'), ...byQueue('running')],
    },
    {
      name: 'headrace_queue_paused',
      help: 'Whether a queue is paused.',
      samples: queues.map(({ queue, paused = false }) => ({ labels: { queue }, value: Number(paused) })),
    },
    { name: 'headrace_workers', help: 'Workers with a valid lease.', samples: [{ labels: {}, value: workers.length }] },
    { name: 'headrace_worker_slots', help: 'Slots of all workers, by queue.', samples: slotsByQueue(workers) },
    {
      name: 'headrace_worker_running',
      help: 'Jobs that a worker runs.',
      samples: workers.map((worker) => ({ labels: { worker: worker.id, name: worker.name }, value: worker.running })),
    },
    {
      name: 'headrace_event_streams',
      help: 'Clients that follow events here.',
      samples: [{ labels: {}, value: eventStreams }],
    },
  ]
  return metrics.map(toText).join('')
}

function slotsByQueue(workers: readonly WorkerRow[]): readonly Sample[] {
  const slots = new Map<string, number>()
  for (const [queue, count] of workers.flatMap((worker) => Object.entries(worker.queues))) {
    slots.set(queue, (slots.get(queue) ?? 0) + count)
  }
  return [...slots].map(([queue, value]) => ({ labels: { queue }, value }))
}

function toText({ name, help, samples }: Metric): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`
}

function labelText(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escapeCharacter)}"`)
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}

function escapeCharacter(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`
}
