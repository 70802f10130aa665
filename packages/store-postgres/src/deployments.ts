import {
  type DeploymentChange,
  type DeploymentRow,
  type DeploymentState,
  type NewJob,
  placeJob,
  type Rejection,
} from '@headrace/engine'
import { Changes } from './changes.ts'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'
import type { Context, Work } from './context.ts'

/** Makes deployments known that are named for the first time. Outside of any transaction: a name says nothing of any job. */
export async function meetDeployments(
  session: Session,
  { routing, clock }: Context,
  names: readonly string[],
): Promise<void> {
  const fresh = [...new Set(names)].filter((name) => name !== '' && !routing.deployments.has(name))
  if (fresh.length === 0) return
  await session.pipeline([call(statements.meetDeployments, fresh, clock.now()), call(statements.bumpRouting)])
  await routing.load(session)
}

export type PlacedRoots = {
  /** With the deployment that each goes to. */
  readonly jobs: readonly NewJob[]
  readonly refused: ReadonlyMap<NewJob, Rejection>
}

/** Where new jobs without a parent go. */
export async function placeRoots(session: Session, context: Context, jobs: readonly NewJob[]): Promise<PlacedRoots> {
  const { routing } = context
  if (routing.deployments.size === 0 && jobs.every(({ deployment }) => !deployment)) return { jobs, refused: new Map() }
  let placed = placeAll(jobs, routing.deployments)
  if (placed.refused.size > 0) {
    // Nothing that is stored tells whether this is so still.
    await routing.load(session)
    placed = placeAll(jobs, routing.deployments)
  }
  const stored = placed.jobs.filter((job) => !placed.refused.has(job))
  await meetDeployments(
    session,
    context,
    stored.map(({ deployment = '' }) => deployment),
  )
  return placed
}

function placeAll(jobs: readonly NewJob[], states: ReadonlyMap<string, DeploymentState>): PlacedRoots {
  const refused = new Map<NewJob, Rejection>()
  const placed = jobs.map((job) => {
    const place = placeJob(job, states)
    if ('to' in place) return { ...job, deployment: place.to }
    refused.set(job, place.refused)
    return job
  })
  return { jobs: placed, refused }
}

type StateRow = { readonly name: string; readonly state: DeploymentState }

/** Promotes, drains or retires. Of a retired one nothing lives: what did is cancelled, if that is wished. */
export async function changeDeployment(
  work: Work,
  name: string,
  to: DeploymentChange,
  isForced: boolean,
): Promise<'changed' | 'unknown' | 'busy'> {
  const { tx, now, hints } = work
  const all = await tx.rows<StateRow>('lockDeployments')
  if (!all.some((row) => row.name === name)) return 'unknown'
  if (to === 'retired') {
    const live = (await tx.rows<{ readonly seq: number }>('liveOfDeployment', name)).map(({ seq }) => seq)
    if (live.length > 0 && !isForced) return 'busy'
    const changes = new Changes(work)
    await changes.cancelTrees(live, `Its deployment ${name} was retired.`)
    await changes.finish()
  }
  if (to === 'active')
    for (const other of all)
      if (other.state === 'active' && other.name !== name) tx.later('putDeployment', other.name, 'draining', now)
  tx.later('putDeployment', name, to, now)
  tx.later('bumpRouting')
  hints.everything()
  return 'changed'
}

/**
 * Of a draining deployment of which nothing lives any more, nothing is left to do. A job that was stored at the moment
 * when its deployment was retired is finished all the same.
 */
export function moveDeployments({ tx, now }: Work, rows: readonly StateRow[]): void {
  if (rows.length === 0) return
  for (const { name, state } of rows)
    tx.later('putDeployment', name, state === 'draining' ? 'retired' : 'draining', now)
  tx.later('bumpRouting')
}

export async function readDeployments(session: Session): Promise<DeploymentRow[]> {
  type Row = Omit<DeploymentRow, 'changedAt'> & { readonly changed_at: number }
  const rows = await session.run<Row>(statements.deploymentCounts, [])
  return rows.map(({ changed_at: changedAt, ...row }) => ({ ...row, changedAt }))
}
