import {
  type Attempt,
  type ChildOutcome,
  type Json,
  type Payload,
  type RecordedStep,
  recordHistory,
} from '@headrace/engine'
import type { JobHistory, JobTree, WaitAnswer, WireAttempt, WireStep } from '@headrace/wire'

import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { integerParameter, parseQuery } from '../answer/query.ts'
import { maySeeOwner, visibleJob } from '../auth/visible-job.ts'
import type { ServerContext } from '../server-context.ts'
import type { JobRequest } from './job-routes.ts'
import { iso, toStatusInfo, toWireError } from './status-info.ts'

const TreeQuery = z.object({ limit: integerParameter({ min: 1, max: 10_000 }).default(1_000) })

/** What a job consists of: its input, tree, attempts and steps. */
export function detailRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { engine, baseUrl, queueCounts } = context
  const { store } = engine

  fastify.get(
    '/jobs/:id/inputs',
    { config: { scope: 'read-own', summary: 'What a job was given' } },
    async (request: JobRequest) => {
      const job = await visibleJob(engine, request.caller, request.params.id)
      return { inputs: (await engine.input(job.id)) ?? null }
    },
  )

  fastify.get(
    '/jobs/:id/waiting',
    { config: { scope: 'read-own', summary: 'Why a job waits, in one sentence' } },
    async (request: JobRequest): Promise<WaitAnswer> => {
      const job = await visibleJob(engine, request.caller, request.params.id)
      const reason = await engine.whyWaiting(job.id, { queues: await queueCounts.read() })
      return reason === undefined ? {} : { reason }
    },
  )

  fastify.get(
    '/jobs/:id/tree',
    { config: { scope: 'read-own', summary: 'A job and all that it called, oldest first' } },
    async (request: JobRequest): Promise<JobTree> => {
      const { limit } = parseQuery(TreeQuery, request.query)
      const job = await visibleJob(engine, request.caller, request.params.id)
      const jobs = await store.tree(job.id, limit + 1)
      const visible = jobs.slice(0, limit).filter((one) => maySeeOwner(request.caller, one.owner))
      return { jobs: visible.map((one) => toStatusInfo(one, baseUrl(request))), truncated: jobs.length > limit }
    },
  )

  fastify.get(
    '/jobs/:id/attempts',
    { config: { scope: 'read-own', summary: 'How each attempt of a job went' } },
    async (request: JobRequest) => {
      const job = await visibleJob(engine, request.caller, request.params.id)
      return { attempts: (await store.attempts(job.id)).map(toWireAttempt) }
    },
  )

  fastify.get(
    '/jobs/:id/steps',
    { config: { scope: 'read-own', summary: 'What a workflow recorded' } },
    async (request: JobRequest) => {
      const job = await visibleJob(engine, request.caller, request.params.id)
      return { steps: (await store.steps(job.id)).map(toWireStep) }
    },
  )

  fastify.get(
    '/jobs/:id/history',
    { config: { scope: 'read-own', summary: 'All that a workflow recorded, to be replayed against newer code' } },
    async (request: JobRequest): Promise<JobHistory> => {
      const job = await visibleJob(engine, request.caller, request.params.id)
      return { ...(await recordHistory(engine, job.id)) }
    },
  )
}

function toWireAttempt({ attempt, worker, startedAt, endedAt, outcome, error }: Attempt): WireAttempt {
  return {
    attempt,
    worker,
    startedAt: iso(startedAt),
    ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
    outcome,
    ...(error === undefined ? {} : { error: toWireError(error) }),
  }
}

function toWireStep(step: RecordedStep): WireStep {
  return {
    step: step.step,
    kind: step.kind,
    name: step.name,
    recordedAt: iso(step.recordedAt),
    ...(step.keptFrom === undefined ? {} : { keptFrom: step.keptFrom }),
    ...(step.dueAt === undefined ? {} : { dueAt: iso(step.dueAt) }),
    ...(step.value === undefined ? {} : { value: toValue(step.value) }),
    ...(step.error === undefined ? {} : { error: toWireError(step.error) }),
    children: countChildren(step.children),
  }
}

/** A value that was moved to the artifacts because of its size is shown as the reference that stands for it. */
function toValue(payload: Payload): Json {
  return payload.startsWith('@') ? payload : JSON.parse(payload)
}

function countChildren(children: readonly ChildOutcome[]): WireStep['children'] {
  const first = children[0]?.jobId
  return {
    total: children.length,
    ended: children.filter((child) => child.state !== 'pending').length,
    failed: children.filter((child) => child.state === 'failed').length,
    ...(first === undefined ? {} : { firstId: first }),
  }
}
