import type { JobId } from '../../job/job.ts'
import type { JobEvent, RecordedStep } from '../../store/store.ts'
import type { Chronicle, Rule } from './check-history.ts'

export const groupRules = {
  /** A barrier is released once, and no sooner than its last child ended or, if so asked, its first one failed. */
  'barrier-once': ((chronicle, { released }, say) => {
    const seen = new Set<string>()
    for (const { parentId, step } of released) {
      const key = `${parentId}/${step}`
      if (seen.has(key)) say(`job ${parentId}: step ${step} was released twice`)
      seen.add(key)
    }
    for (const { jobId, steps } of chronicle.workflows) {
      const byNumber = new Map(steps.map((step) => [step.step, step]))
      for (const recorder of steps) {
        const by = recordedAt(chronicle, jobId, recorder)
        for (const step of by === undefined ? [] : recorder.delivered)
          checkReleased(chronicle, jobId, byNumber.get(step), by ?? 0, say)
      }
      for (const step of steps) checkEndedBy(jobId, step, say)
    }
  }) satisfies Rule,

  /** Each child is one job, in one place of one step, and its parent is handed its outcome once. */
  'child-seen-once': (({ jobs, workflows, byId }, { isOver }, say) => {
    const places = new Set<string>()
    for (const { id, parentId, step, item } of jobs) {
      if (parentId === undefined) continue
      const place = `${parentId}/${step}/${item}`
      if (places.has(place)) say(`job ${id} is a second child in place ${item} of step ${step} of job ${parentId}`)
      places.add(place)
    }
    for (const { jobId, steps } of workflows) {
      const children = new Set<JobId>()
      for (const { step, children: outcomes } of steps) {
        for (const [index, { jobId: child, item, state }] of outcomes.entries()) {
          const where = `job ${jobId}: step ${step} has child ${child}`
          if (children.has(child)) say(`${where}, which it or another step has already`)
          children.add(child)
          if (item !== index) say(`${where} in place ${index}, which says that it is in ${item}`)
          const job = byId.get(child)
          const is = job?.state === 'waiting' || job?.state === 'running' ? 'pending' : job?.state
          if (is !== state && isOver) say(`${where} as ${state}, and that job is ${is ?? 'not there'}`)
        }
      }
    }
  }) satisfies Rule,

  /** All jobs of a session began on one worker; what they undo, they may undo on any. */
  'session-kept': (({ workflows, lives }, _, say) => {
    for (const { jobId, steps } of workflows) {
      for (const { step: session, kind, keptFrom } of steps) {
        if (kind !== 'session' || keptFrom !== undefined) continue
        const jobs = steps.flatMap((step) => (step.session === session ? step.children : []))
        const workers = new Set(jobs.flatMap((job) => workersOf(lives.get(job.jobId) ?? [])))
        if (workers.size > 1) say(`job ${jobId}: the session of step ${session} ran on ${[...workers].join(' and ')}`)
      }
    }
  }) satisfies Rule,

  /** A workflow's code received each outcome at most once, in an order without gaps, of steps that were recorded. */
  'deliveries-consistent': (({ workflows }, _, say) => {
    for (const { jobId, steps } of workflows) {
      const known = new Set(steps.map(({ step }) => step))
      if (known.size < steps.length) say(`job ${jobId}: a step was recorded twice`)
      const received = new Set<number>()
      const inOrder = steps.filter(({ delivered }) => delivered.length > 0)
      for (const { step, delivered, deliveredFrom } of inOrder.sort((a, b) => a.deliveredFrom - b.deliveredFrom)) {
        if (deliveredFrom !== received.size)
          say(`job ${jobId}: step ${step} says that ${deliveredFrom} outcomes came before, and it was ${received.size}`)
        for (const one of delivered) {
          if (received.has(one)) say(`job ${jobId}: the outcome of step ${one} was received twice`)
          if (!known.has(one)) say(`job ${jobId}: the outcome of step ${one} was received, and it was never recorded`)
          received.add(one)
        }
      }
    }
  }) satisfies Rule,
} as const

/** Where a job began, unless it only cleaned up. */
function workersOf(life: readonly JobEvent[]): string[] {
  const ending = life.findIndex(({ kind }) => kind === 'ending')
  const own = ending === -1 ? life : life.slice(0, ending)
  return own.flatMap(({ kind, data }) => (kind === 'started' ? String(data.worker) : []))
}

/** The cursor of what was stored together with a step, where something was. */
function recordedAt({ lives }: Chronicle, jobId: JobId, { step, children }: RecordedStep): number | undefined {
  const [child] = children
  const isIt = ({ kind, data }: JobEvent) => kind === 'step' && data.step === step
  const events = child === undefined ? lives.get(jobId)?.filter(isIt) : lives.get(child.jobId)
  return events?.[0]?.cursor
}

function checkReleased(
  { ends }: Chronicle,
  jobId: JobId,
  step: RecordedStep | undefined,
  by: number,
  say: (what: string) => void,
): void {
  if (step === undefined || (step.kind !== 'call' && step.kind !== 'map')) return
  const hasEnded = ({ jobId: child }: { readonly jobId: JobId }) => (ends.get(child) ?? Number.POSITIVE_INFINITY) < by
  if (step.children.every(hasEnded)) return
  const isFailed = step.children.some((child) => hasEnded(child) && child.state !== 'succeeded')
  if (step.kind === 'map' && step.policy === 'fail' && isFailed) return
  say(`job ${jobId}: step ${step.step} was handed over before cursor ${by}, and its children had not ended by then`)
}

/** The one child that ended a group of policy `fail` is named, once it failed. */
function checkEndedBy(jobId: JobId, { step, kind, policy, children }: RecordedStep, say: (what: string) => void): void {
  if (kind !== 'map') return
  const named = children.filter((child) => 'endedGroup' in child && child.endedGroup === true).length
  const isOver = children.every(({ state }) => state !== 'pending')
  const isFailed = policy === 'fail' && isOver && children.some(({ state }) => state !== 'succeeded')
  if (named > 1) say(`job ${jobId}: ${named} children are said to have ended step ${step}`)
  if (named === 0 && isFailed) say(`job ${jobId}: a child of step ${step} failed, and none is said to have ended it`)
}
