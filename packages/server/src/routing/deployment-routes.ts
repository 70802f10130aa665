import type { DeploymentChange, DeploymentRow } from '@headrace/engine'
import type { DeploymentList, WireDeployment } from '@headrace/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { parseBody } from '../answer/body.ts'
import { OVERSIGHT } from '../auth/caller.ts'
import { iso } from '../job/status-info.ts'
import type { ServerContext } from '../server-context.ts'

type DeploymentRequest = FastifyRequest<{ Params: { name: string } }>

const NoBody = z.strictObject({})
const RetireBody = z.strictObject({ force: z.boolean().optional() })

/** The stacks: which one takes new jobs, which one is on its way out. */
export function deploymentRoutes(fastify: FastifyInstance, { engine }: ServerContext): void {
  const { store } = engine

  async function changed(name: string, to: DeploymentChange, options: { readonly force?: boolean } = {}) {
    await engine.changeDeployment(name, to, options)
    const row = (await store.deployments()).find((one) => one.name === name)
    if (row === undefined) throw new Error(`the deployment ${name} was changed and is not there`)
    return toWireDeployment(row)
  }

  fastify.get(
    '/deployments',
    { config: { scope: OVERSIGHT, summary: 'The stacks, with their state, workers and jobs' } },
    async (): Promise<DeploymentList> => ({ deployments: (await store.deployments()).map(toWireDeployment) }),
  )

  fastify.post(
    '/deployments/:name/promote',
    { config: { scope: 'operate', summary: 'Give it what names no deployment; the active one drains', body: NoBody } },
    async (request: DeploymentRequest) => {
      parseBody(NoBody, request.body)
      return changed(request.params.name, 'active')
    },
  )

  fastify.post(
    '/deployments/:name/drain',
    { config: { scope: 'operate', summary: 'Give it no new jobs; it retires when it has none', body: NoBody } },
    async (request: DeploymentRequest) => {
      parseBody(NoBody, request.body)
      return changed(request.params.name, 'draining')
    },
  )

  fastify.post(
    '/deployments/:name/retire',
    {
      config: {
        scope: 'operate',
        summary: 'Give it nothing any more; force cancels what lives of it',
        body: RetireBody,
      },
    },
    async (request: DeploymentRequest) => {
      const { force = false } = parseBody(RetireBody, request.body)
      return changed(request.params.name, 'retired', { force })
    },
  )
}

function toWireDeployment({ name, state, live, running, workers, changedAt }: DeploymentRow): WireDeployment {
  return { name, state, waiting: live - running, running, workers, changedAt: iso(changedAt) }
}
