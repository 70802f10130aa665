import { isEnded, type JobId } from '../../job/job.ts'
import type { Rule } from './check-history.ts'

export const witnessRules = {
  /** Whatever was accepted is there and, when all is over, has ended; and what succeeded has really been done. */
  'nothing-lost': (({ jobs, byId }, { isOver, accepted, effects, tasksWithEffects }, say) => {
    for (const { id } of accepted) if (!byId.has(id)) say(`job ${id} was accepted, and is not there`)
    const done = new Set(effects.map(({ jobId, attempt, step }) => (step === undefined ? `${jobId}/${attempt}` : '')))
    for (const { id, task, state, attempt } of jobs) {
      if (isOver && !isEnded(state)) say(`job ${id} (${task}) never ended: it is ${state}`)
      if (state !== 'succeeded' || !tasksWithEffects.includes(task)) continue
      if (!done.has(`${id}/${attempt}`)) say(`job ${id} (${task}) succeeded in attempt ${attempt}, which did nothing`)
    }
  }) satisfies Rule,

  /** However often a request was repeated with its key, it became one job. */
  'one-job-per-key': ((_, { accepted }, say) => {
    const ids = new Map<string, JobId>()
    for (const { id, key } of accepted) {
      if (key === undefined) continue
      const first = ids.get(key) ?? id
      ids.set(key, first)
      if (first !== id) say(`the key ${key} became the jobs ${first} and ${id}`)
    }
  }) satisfies Rule,

  /** Never more jobs ran at once than a limit allows. */
  'limit-kept': (({ events }, { caps }, say) => {
    const capsOf = new Map<JobId, { readonly name: string; readonly max: number; readonly running: Set<JobId> }[]>()
    for (const { name, max, jobs } of caps) {
      const cap = { name, max, running: new Set<JobId>() }
      for (const id of jobs) capsOf.set(id, [...(capsOf.get(id) ?? []), cap])
    }
    for (const { jobId, kind, cursor } of events) {
      for (const { name, max, running } of capsOf.get(jobId) ?? []) {
        if (kind === 'started') running.add(jobId)
        if (LEAVES.has(kind)) running.delete(jobId)
        if (running.size > max) say(`${name}: ${running.size} jobs ran at once at cursor ${cursor}, and ${max} may`)
      }
    }
  }) satisfies Rule,

  /** Code runs only in attempts that have begun. */
  'effect-belongs': (({ lives }, { effects }, say) => {
    for (const { jobId, attempt, step } of effects) {
      const hasBegun = lives.get(jobId)?.some(({ kind, attempt: of }) => kind === 'started' && of === attempt)
      if (hasBegun !== true) say(`job ${jobId}: ${step ?? 'its code'} ran in attempt ${attempt}, which never began`)
    }
  }) satisfies Rule,

  /**
   * A local step whose result was recorded never runs again. One that is to be undone is recorded when it begins, and its event
   * says nothing of its result.
   */
  'recorded-step-stays': (({ events, workflows }, { effects }, say) => {
    const begun = new Set(
      workflows.flatMap(({ jobId, steps }) =>
        steps.flatMap(({ name, compensates }) => (compensates === true ? [`${jobId}/${name}`] : [])),
      ),
    )
    const recordedIn = new Map<string, number>()
    for (const { jobId, kind, attempt, data } of events) {
      const key = `${jobId}/${data.name}`
      if (kind === 'step' && data.kind === 'step' && !begun.has(key)) recordedIn.set(key, attempt)
    }
    for (const { jobId, attempt, step } of effects) {
      const recorded = step === undefined ? undefined : recordedIn.get(`${jobId}/${step}`)
      if (recorded !== undefined && attempt > recorded)
        say(`job ${jobId}: step ${step} was recorded in attempt ${recorded}, and ran again in ${attempt}`)
    }
  }) satisfies Rule,
} as const

const LEAVES: ReadonlySet<string> = new Set(['retried', 'released', 'parked', 'lapsed', 'ending', 'ended'])
