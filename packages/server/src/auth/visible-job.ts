import type { Engine, Job } from '@headrace/engine'
import { unknownJob } from '../problem/http-problem.ts'
import { scopeMissing } from './authenticate.ts'
import { type Caller, hasScope } from './caller.ts'

export function maySeeOwner(caller: Caller, owner: string | undefined): boolean {
  return hasScope(caller, 'read-all') || owner === caller.owner
}

/**
 * The job, if this caller may see it. Someone else's job is answered as one that does not exist, so that ids tell nothing.
 * @throws {HttpProblem} 404
 */
export async function visibleJob(engine: Engine, caller: Caller, id: string): Promise<Job> {
  const job = await engine.job(id as Job['id']) // sound: an unknown text finds nothing
  if (!job || !maySeeOwner(caller, job.owner)) throw unknownJob(id)
  return job
}

/**
 * The job, if this caller may cancel or retry it: an operator any that they see, a submitter their own.
 * @throws {HttpProblem} 404 or 403
 */
export async function changeableJob(engine: Engine, caller: Caller, id: string): Promise<Job> {
  const job = await engine.job(id as Job['id']) // as above
  const isOwn = job?.owner !== undefined && job.owner === caller.owner
  if (!job || !(isOwn || hasScope(caller, 'read-all') || hasScope(caller, 'operate'))) throw unknownJob(id)
  if (hasScope(caller, 'operate') || (isOwn && hasScope(caller, 'submit'))) return job
  throw scopeMissing(isOwn ? 'submit or operate' : 'operate')
}
