import type { Schedule, ScheduleOptions } from '@headrace/engine'
import type { BackfillAnswer, Json, ScheduleList, WireSchedule } from '@headrace/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { parseBody } from '../answer/body.ts'
import { scopeMissing } from '../auth/authenticate.ts'
import { type Caller, hasScope, OVERSIGHT } from '../auth/caller.ts'
import { sendCreated } from '../job/job-routes.ts'
import { toStatusInfo } from '../job/status-info.ts'
import { storedJob } from '../job/stored-job.ts'
import { unknownProcess } from '../problem/http-problem.ts'
import { type Inputs, withInput } from '../process/read-inputs.ts'
import type { ServerContext } from '../server-context.ts'
import { BackfillBody, ScheduleBody } from './schedule-body.ts'
import { toWireSchedules } from './wire-schedule.ts'

type ScheduleRequest = FastifyRequest<{ Params: { name: string } }>

/** Tasks that are started by the clock: what there is, and what is to be. */
export function scheduleRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { engine, processes, baseUrl } = context
  const { schedules, store } = engine

  async function shown(schedule: Schedule): Promise<WireSchedule> {
    const [wire] = await toWireSchedules([schedule], { store, processes })
    if (wire === undefined) throw new Error('one schedule was given, and none came back')
    return wire
  }

  fastify.get(
    '/schedules',
    { config: { scope: OVERSIGHT, summary: 'What is started by the clock, and when next' } },
    async (): Promise<ScheduleList> => ({
      schedules: await toWireSchedules(await schedules.list(), { store, processes }),
    }),
  )

  fastify.get(
    '/schedules/:name',
    { config: { scope: OVERSIGHT, summary: 'One schedule, with its next five instants' } },
    async (request: ScheduleRequest) => shown(await schedules.get(request.params.name)),
  )

  fastify.put(
    '/schedules/:name',
    { config: { scope: 'operate', summary: 'Store a schedule, new or changed, of a process', body: ScheduleBody } },
    async (request: ScheduleRequest) => {
      const body = parseBody(ScheduleBody, request.body)
      const process = processes.get(body.process)
      if (!process) throw unknownProcess(body.process)
      const options = optionsOf(request.params.name, body, request.caller)
      const inputs = (body.inputs ?? {}) as Inputs // sound: JSON holds Json
      return shown(await withInput(process, inputs, (input) => schedules.put(withInputOf(options, input))))
    },
  )

  fastify.delete(
    '/schedules/:name',
    { config: { scope: 'operate', summary: 'Delete a schedule; its jobs stay' } },
    async (request: ScheduleRequest) => {
      await schedules.delete(request.params.name)
      return { name: request.params.name, deleted: true }
    },
  )

  fastify.post(
    '/schedules/:name/pause',
    { config: { scope: 'operate', summary: 'Fire no more; what falls due meanwhile is not caught up' } },
    async (request: ScheduleRequest) => shown(await schedules.pause(request.params.name)),
  )

  fastify.post(
    '/schedules/:name/resume',
    { config: { scope: 'operate', summary: 'Fire again, from now on' } },
    async (request: ScheduleRequest) => shown(await schedules.resume(request.params.name)),
  )

  fastify.post(
    '/schedules/:name/run',
    { config: { scope: 'operate', summary: 'Start its process now, beside whatever runs of it' } },
    async (request: ScheduleRequest, reply) => {
      const { id } = await schedules.trigger(request.params.name)
      return sendCreated(reply, toStatusInfo(await storedJob(engine, id), baseUrl(request)), baseUrl(request))
    },
  )

  fastify.post(
    '/schedules/:name/backfill',
    {
      config: {
        scope: 'operate',
        summary: 'Start its process for each instant of a span, fired before or not',
        body: BackfillBody,
      },
    },
    async (request: ScheduleRequest): Promise<BackfillAnswer> => {
      const { from, to, concurrency } = parseBody(BackfillBody, request.body)
      const submitted = await schedules.backfill(request.params.name, {
        from: Date.parse(from),
        to: Date.parse(to),
        ...(concurrency !== undefined && { concurrency }),
      })
      return { jobIDs: submitted.map(({ id }) => id) }
    },
  )
}

/** In somebody else's name only an admin lets jobs run. */
function optionsOf(name: string, body: z.output<typeof ScheduleBody>, caller: Caller): Omit<ScheduleOptions, 'input'> {
  const { process: task, inputs: _, owner = caller.owner, ...rest } = body
  if (owner !== caller.owner && !hasScope(caller, 'admin')) throw scopeMissing('admin')
  const given = Object.entries(rest).filter(([, value]) => value !== undefined)
  return {
    name,
    task,
    owner,
    ...(Object.fromEntries(given) as typeof rest & { readonly cron: string }),
  } as ScheduleOptions // sound: the body's schema says the same
}

function withInputOf(options: Omit<ScheduleOptions, 'input'>, input: Json | undefined): ScheduleOptions {
  return input === undefined ? options : { ...options, input }
}
