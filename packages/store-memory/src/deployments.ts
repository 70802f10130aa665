import { type DeploymentChange, type DeploymentRow, type NewJob, type Placed, placeJob } from '@headrace/engine'
import { cancelTree, Endings } from './ending.ts'
import { type Context, liveJobs, type MemoryPlace } from './place.ts'

/** Makes a deployment known that is named for the first time. */
export function meetDeployment({ place, clock }: Context, name: string): void {
  if (name !== '' && !place.deployments.has(name))
    place.deployments.set(name, { state: 'dark', changedAt: clock.now() })
}

/** Where a new job without a parent goes. */
export function placeRoot(context: Context, job: NewJob): Placed {
  const states = new Map([...context.place.deployments].sort().map(([name, { state }]) => [name, state]))
  const placed = placeJob(job, states)
  if ('to' in placed) meetDeployment(context, placed.to)
  return placed
}

/** Promotes, drains or retires. Of a retired one nothing lives: what did is cancelled, if that is wished. */
export function changeDeployment(
  context: Context,
  name: string,
  to: DeploymentChange,
  isForced: boolean,
): 'changed' | 'unknown' | 'busy' {
  const { deployments } = context.place
  if (!deployments.has(name)) return 'unknown'
  if (to === 'retired' && liveOf(context.place, name).length > 0) {
    if (!isForced) return 'busy'
    cancelAll(context, name)
  }
  const changedAt = context.clock.now()
  for (const [other, { state }] of deployments) {
    const isFollowed = to === 'active' && state === 'active' && other !== name
    if (isFollowed) deployments.set(other, { state: 'draining', changedAt })
  }
  deployments.set(name, { state: to, changedAt })
  context.hints.everything()
  return 'changed'
}

/** Of a draining deployment of which nothing lives any more, nothing is left to do. */
export function retireDrained({ place, clock }: Context): void {
  for (const [name, { state }] of place.deployments) {
    const isDone = state === 'draining' && liveOf(place, name).length === 0
    if (isDone) place.deployments.set(name, { state: 'retired', changedAt: clock.now() })
  }
}

export function readDeployments({ place }: Context): DeploymentRow[] {
  const rows = [...place.deployments].map(([name, deployment]) => {
    const workers = [...place.workers.values()].filter((worker) => worker.deployment === name).length
    const live = liveOf(place, name)
    const running = live.filter((job) => job.live?.state === 'running').length
    return { name, ...deployment, live: live.length, running, workers }
  })
  return rows.sort((a, b) => b.changedAt - a.changedAt || (a.name < b.name ? -1 : 1))
}

function liveOf(place: MemoryPlace, name: string) {
  return liveJobs(place).filter(({ lane }) => lane.deployment === name)
}

function cancelAll(context: Context, name: string): void {
  const endings = new Endings(context)
  for (const job of liveOf(context.place, name))
    cancelTree(context, endings, job, `Its deployment ${name} was retired.`)
  endings.finish()
}
