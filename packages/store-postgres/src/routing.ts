import type { DeploymentState } from '@headrace/engine'
import { codeOf } from './connection/errors.ts'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'

/** What PostgreSQL is told to call it when a process decides by settings that somebody has changed. */
export const ROUTING_CHANGED = 'HR001'

/** Nobody changes queues and deployments so often that one never gets through. */
const TRIES_MAX = 20

/**
 * Queues that are not plain, and deployments, as this process knows them. Both are few and seldom change. Whatever stores
 * or claims jobs says by which version of them it goes, in the very statement that does it; when they have changed, it fails
 * as a whole, they are read again, and it is done again.
 */
export class Routing {
  #version = 0
  #queues: ReadonlySet<string> = new Set()
  #sessionQueues: ReadonlySet<string> = new Set()
  #deployments: ReadonlyMap<string, DeploymentState> = new Map()

  get version(): number {
    return this.#version
  }

  get deployments(): ReadonlyMap<string, DeploymentState> {
    return this.#deployments
  }

  /** Whether a queue is paused, rated or fair, or sessions were begun on it: its claims take the long way. */
  isSet(queue: string): boolean {
    return this.#queues.has(queue) || this.hasSessions(queue)
  }

  hasSessions(queue: string): boolean {
    return this.#sessionQueues.has(queue)
  }

  isRetired(deployment: string): boolean {
    return deployment !== '' && this.#deployments.get(deployment) === 'retired'
  }

  /** Does it again where somebody has changed what it went by. */
  async obey<T>(session: Session, work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (codeOf(error) !== ROUTING_CHANGED || tries >= TRIES_MAX) throw error
        await this.load(session)
      }
    }
  }

  async load(session: Session): Promise<void> {
    type QueueRow = {
      readonly name: string
      readonly paused: boolean
      readonly fair: boolean
      readonly rate_count: number | null
    }
    type DeploymentRow = { readonly name: string; readonly state: DeploymentState }
    // The version first: what is read behind it is as new, or newer, and then the next statement says so.
    const [versions = [], queues = [], deployments = [], sessionQueues = []] = await session.pipeline([
      call(statements.routingVersion),
      call(statements.queueSettings),
      call(statements.deploymentStates),
      call(statements.sessionQueues),
    ])
    const isSet = ({ paused, fair, rate_count: rate }: QueueRow) => paused || fair || rate !== null
    // The statements' own columns.
    this.#queues = new Set((queues as unknown as readonly QueueRow[]).filter(isSet).map(({ name }) => name))
    this.#sessionQueues = new Set(sessionQueues.map(({ name }) => String(name)))
    const rows = deployments as unknown as readonly DeploymentRow[]
    this.#deployments = new Map(rows.map(({ name, state }) => [name, state]))
    this.#version = Number(versions[0]?.version)
  }
}
