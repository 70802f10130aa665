import { DEFAULT_QUEUE, type QueueChange, type QueueCounts } from '@headrace/engine'
import type { QueueList, QueueTimes, WireQueue } from '@headrace/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { parseBody } from '../answer/body.ts'
import { OVERSIGHT } from '../auth/caller.ts'
import { iso } from '../job/status-info.ts'
import { requestInvalid } from '../problem/http-problem.ts'
import type { ServerContext } from '../server-context.ts'
import { readQueueTimes } from './queue-times.ts'

type QueueRequest = FastifyRequest<{ Params: { name: string } }>

const QUEUES_NAMED_MAX = 20

/** Which values are in range the engine says. */
const Patch = z.strictObject({
  paused: z.boolean().optional(),
  rate: z.strictObject({ count: z.number(), perMs: z.number() }).nullable().optional(),
  fair: z.boolean().optional(),
  shares: z.record(z.string(), z.number()).optional(),
})

/** The queues: how they do, and how they are set. */
export function queueRoutes(fastify: FastifyInstance, { engine, queueCounts }: ServerContext): void {
  const { store } = engine

  async function readQueues(): Promise<readonly WireQueue[]> {
    const [queues, times] = await Promise.all([queueCounts.read(), readQueueTimes(store)])
    return queues.map((counts) => toWireQueue(counts, times.get(counts.queue)))
  }

  async function readQueue(name: string): Promise<WireQueue> {
    const known = (await readQueues()).find(({ queue }) => queue === name)
    return known ?? { queue: name, waiting: 0, scheduled: 0, blocked: 0, running: 0, paused: false, fair: false }
  }

  /** A queue may be set before its first job comes; one that nothing knows may as well be a slip of the pen. */
  async function noticeOf(name: string): Promise<string | undefined> {
    const [counts, workers] = await Promise.all([queueCounts.read(), store.workers()])
    const ofTasks = [...engine.tasks.values()].map(({ queue = DEFAULT_QUEUE }) => queue)
    const ofWorkers = workers.flatMap(({ queues }) => Object.keys(queues))
    const known = new Set([...counts.map(({ queue }) => queue), ...ofTasks, ...ofWorkers])
    if (known.has(name)) return undefined
    const others = [...known].sort().slice(0, QUEUES_NAMED_MAX)
    return `No job, task or worker knew the queue ${name} so far; it is set for jobs that come. Known are: ${others.join(', ') || 'none'}.`
  }

  fastify.get(
    '/queues',
    { config: { scope: OVERSIGHT, summary: 'What waits and runs in each queue, for how long, and how it is set' } },
    async (): Promise<QueueList> => ({ queues: await readQueues() }),
  )

  fastify.get(
    '/queues/:name',
    { config: { scope: OVERSIGHT, summary: 'One queue' } },
    async (request: QueueRequest): Promise<WireQueue> => readQueue(request.params.name),
  )

  fastify.patch(
    '/queues/:name',
    {
      config: {
        scope: 'operate',
        summary: 'Pause, resume or set a queue: its rate, whether its owners take turns, their weights',
        body: Patch,
      },
    },
    async (request: QueueRequest): Promise<WireQueue> => {
      const change = parseBody(Patch, request.body)
      if (Object.keys(change).length === 0) throw nothingToChange()
      const { name } = request.params
      const notice = await noticeOf(name)
      await engine.configureQueue(name, change as QueueChange) // sound: what is undefined is left out
      queueCounts.forget()
      return { ...(await readQueue(name)), ...(notice !== undefined && { notice }) }
    },
  )
}

function toWireQueue(counts: QueueCounts, times: QueueTimes | undefined): WireQueue {
  const { oldestDueAt, paused = false, fair = false, ...rest } = counts
  return {
    ...rest,
    ...(oldestDueAt !== undefined && { oldestDueAt: iso(oldestDueAt) }),
    paused,
    fair,
    ...(times !== undefined && { times }),
  }
}

function nothingToChange() {
  const detail = `Say what is to be otherwise: ${Object.keys(Patch.shape).join(', ')}.`
  return requestInvalid('The body', [{ pointer: '', detail }])
}
