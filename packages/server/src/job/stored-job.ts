import type { Engine, Job } from '@headrace/engine'

/** A job whose id was just given by the engine: it is there, or something is broken. */
export async function storedJob(engine: Engine, id: Job['id']): Promise<Job> {
  const job = await engine.job(id)
  if (!job) throw new Error(`Job ${id} was stored and is not there.`)
  return job
}
