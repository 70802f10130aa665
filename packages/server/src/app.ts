import type { AnyTask, Engine, Job } from '@headrace/engine'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { BaseUrl } from './answer/links.ts'
import type { ArtifactStorage } from './artifact/artifact-source.ts'
import type { SentArtifact } from './artifact/send-artifact.ts'

/** What an app's routes are given. */
export type AppContext = {
  readonly engine: Engine
  readonly artifacts: ArtifactStorage | undefined
  readonly version: string
  /** Where this server is, as the client sees it; without a slash at the end. */
  readonly baseUrl: BaseUrl
  /** The job, if the request's caller may see it; otherwise throws a 404 problem, for another owner's job does not exist. */
  visibleJob(request: FastifyRequest, id: string): Promise<Job>
  /** The job, if the request's caller may cancel or retry it; otherwise throws a 404 or 403 problem. */
  changeableJob(request: FastifyRequest, id: string): Promise<Job>
  /** Answers with the bytes of an artifact, or the range of them that was asked for; whether the caller may see it is decided before. */
  sendArtifact(request: FastifyRequest, reply: FastifyReply, artifact: SentArtifact): Promise<FastifyReply>
}

/** One vertical slice: its tasks and workflows, its own routes, its pages of the dashboard. */
export type App = {
  readonly name: string
  readonly tasks: readonly AnyTask[]
  /**
   * The body of a Fastify plugin of its own: error handler, parsers and hooks set here hold for this app only. Every
   * route says `config: { scope }`, or the server does not start; `request.caller` is who sent it.
   */
  readonly routes?: (fastify: FastifyInstance, context: AppContext) => void | Promise<void>
  readonly pages?: readonly AppPage[]
}

export type AppPage = {
  readonly id: string
  readonly title: string
  /** Under the dashboard: `/app/map`. */
  readonly path: string
}

/**
 * @example
 * export const layers = defineApp({
 *   name: 'layers',
 *   tasks: [importLayer],
 *   routes(fastify, { engine }) {
 *     fastify.get('/layers', { config: { scope: 'read-own' } }, () => listLayers(engine))
 *   },
 * })
 */
export function defineApp(app: App): App {
  return app
}
