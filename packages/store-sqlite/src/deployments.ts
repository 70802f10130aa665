import {
  type DeploymentChange,
  type DeploymentRow,
  type DeploymentState,
  type NewJob,
  type Placed,
  placeJob,
} from '@headrace/engine'
import { cancelTree, Endings } from './ending.ts'
import type { Context } from './prepared.ts'

/** The deployments that are known. They are few, so a transaction reads them once, when it first asks. */
export class DeploymentBook {
  readonly #sql: Context['sql']
  #states: Map<string, DeploymentState> | undefined

  constructor(sql: Context['sql']) {
    this.#sql = sql
  }

  get states(): ReadonlyMap<string, DeploymentState> {
    type Row = { readonly name: string; readonly state: DeploymentState }
    this.#states ??= new Map(this.#sql.all<Row>('deploymentStates').map(({ name, state }) => [name, state]))
    return this.#states
  }

  put(name: string, state: DeploymentState, now: number): void {
    this.#sql.run('putDeployment', name, state, now)
    this.#states?.set(name, state)
  }

  /** The transaction is over: others may change them now. */
  forget(): void {
    this.#states = undefined
  }
}

/** Makes a deployment known that is named for the first time. */
export function meetDeployment({ deployments, clock }: Context, name: string): void {
  if (name !== '' && !deployments.states.has(name)) deployments.put(name, 'dark', clock.now())
}

/** Where a new job without a parent goes. */
export function placeRoot(context: Context, job: NewJob): Placed {
  const placed = placeJob(job, context.deployments.states)
  if ('to' in placed) meetDeployment(context, placed.to)
  return placed
}

export function isRetired({ deployments }: Context, name: string): boolean {
  return name !== '' && deployments.states.get(name) === 'retired'
}

/** Promotes, drains or retires. Of a retired one nothing lives: what did is cancelled, if that is wished. */
export function changeDeployment(
  context: Context,
  name: string,
  to: DeploymentChange,
  isForced: boolean,
): 'changed' | 'unknown' | 'busy' {
  const { deployments, clock } = context
  if (!deployments.states.has(name)) return 'unknown'
  if (to === 'retired' && hasLive(context, name)) {
    if (!isForced) return 'busy'
    cancelAll(context, name)
  }
  const now = clock.now()
  if (to === 'active') {
    for (const [other, state] of [...deployments.states])
      if (state === 'active' && other !== name) deployments.put(other, 'draining', now)
  }
  deployments.put(name, to, now)
  context.hints.everything()
  return 'changed'
}

/** Of a draining deployment of which nothing lives any more, nothing is left to do. */
export function retireDrained(context: Context): void {
  for (const [name, state] of [...context.deployments.states]) {
    if (state === 'draining' && !hasLive(context, name)) context.deployments.put(name, 'retired', context.clock.now())
  }
}

function hasLive({ sql }: Context, name: string): boolean {
  return sql.get('liveOfDeployment', name, 1) !== undefined
}

function cancelAll(context: Context, name: string): void {
  const endings = new Endings(context)
  for (const { seq } of context.sql.all<{ seq: number }>('liveOfDeployment', name, -1))
    cancelTree(context, endings, seq, `Its deployment ${name} was retired.`)
  endings.finish()
}

export function readDeployments({ sql }: Context): DeploymentRow[] {
  type Row = Omit<DeploymentRow, 'changedAt'> & { readonly changed_at: number }
  return sql.all<Row>('deploymentCounts').map(({ changed_at: changedAt, ...row }) => ({ ...row, changedAt }))
}
