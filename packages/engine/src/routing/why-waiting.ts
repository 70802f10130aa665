import type { Job } from '../job/job.ts'
import type { LimitCounts, QueueCounts, RecordedStep, WorkerRow } from '../store/store.ts'
import { type LaneWants, laneMatcher } from './lane.ts'
import { type Amounts, amountsOf } from './resources.ts'

/** What keeps a job from being begun. A closed list, for programs; the sentence beside it is for people. */
export type WaitCode =
  | 'group'
  | 'limit'
  | 'cache'
  | 'not_due'
  | 'retry'
  | 'steps'
  | 'signal'
  | 'paused'
  | 'session'
  | 'no_worker'
  | 'no_worker_for_queue'
  | 'no_worker_for_task'
  | 'no_worker_for_deployment'
  | 'no_worker_for_labels'
  | 'no_worker_for_needs'
  | 'rate'
  | 'slots'
  | 'needs'
  | 'soon'

export type WaitReason = { readonly code: WaitCode; readonly sentence: string }

export type WaitingJob = Job & { readonly state: 'waiting' }

/** What the answer is found in. */
export type WaitView = {
  readonly job: WaitingJob
  readonly now: number
  /** Of the job's queue; left out when nothing else is in it. */
  readonly queue?: QueueCounts
  readonly limit?: LimitCounts
  readonly workers: readonly WorkerRow[]
  /** Of a workflow: what it recorded. */
  readonly steps: readonly RecordedStep[]
}

/** Why a job waits, in one plain sentence: the first of the things that keep it from being begun. */
export function whyWaiting(view: WaitView): WaitReason {
  const { job } = view
  switch (job.wait) {
    case 'held':
      return say('group', 'Its workflow lets only so many jobs of this group run at once, and as many do.')
    case 'blocked':
      return limitReason(view)
    case 'following':
      return say('cache', 'Another job works on the same question, and this one takes its result.')
    case 'scheduled':
      return dueReason(view)
    case 'parked':
      return parkedReason(view)
    case 'ready':
      return queueReason(view) ?? sessionReason(view) ?? workerReason(view)
  }
}

function limitReason({ job, limit }: WaitView): WaitReason {
  const key = job.limit?.key ?? ''
  if (limit === undefined) return say('limit', `It waits for its limit ${key}.`)
  const { max, taken, blocked } = limit
  const others =
    blocked > 1 ? `, and ${count(blocked - 1, 'other job')} ${blocked > 2 ? 'wait' : 'waits'} for it as well` : ''
  return say(
    'limit',
    `Its limit ${key} lets ${max} run at a time, and ${taken} ${taken === 1 ? 'does' : 'do'}${others}.`,
  )
}

function dueReason({ job }: WaitView): WaitReason {
  const at = job.dueAt === undefined ? 'later' : new Date(job.dueAt).toISOString()
  if (job.attempt > 0) return say('retry', `Attempt ${job.attempt} did not end it; the next one is due at ${at}.`)
  return say('not_due', `It is not due before ${at}.`)
}

function parkedReason({ steps }: WaitView): WaitReason {
  const step = steps.findLast(({ kind, value, error, children }) =>
    kind === 'signal'
      ? value === undefined && error === undefined
      : children.some(({ state }) => state === 'pending') || kind === 'sleep',
  )
  if (step === undefined) return say('steps', 'It rests until one of its steps is over.')
  if (step.kind === 'signal') return say('signal', `It waits for the signal ${step.name} from outside.`)
  if (step.kind === 'sleep') return say('steps', 'It sleeps until its time has come.')
  const pending = step.children.filter(({ state }) => state === 'pending').length
  return say(
    'steps',
    `It waits for ${pending} of ${count(step.children.length, 'job')} that it called as ${step.name}.`,
  )
}

function queueReason({ job, queue }: WaitView): WaitReason | undefined {
  if (queue?.paused === true)
    return say('paused', `Its queue ${job.queue} is paused; nothing of it is begun until it is resumed.`)
  return undefined
}

/** Nobody but the worker of its session takes it. */
function sessionReason({ job, workers }: WaitView): WaitReason | undefined {
  if (job.sessionWorker === undefined) return undefined
  const worker = workers.find(({ id }) => id === job.sessionWorker)
  if (worker === undefined)
    return say('session', `It fails in a moment: worker ${job.sessionWorker} of its session is lost.`)
  const { name } = worker
  if (!laneMatcher(worker)(wantsOf(job)))
    return say('session', `It fails in a moment: worker ${name} of its session can never take it.`)
  return say('session', `It waits for worker ${name} of its session, which has other jobs to do first.`)
}

/** Asks of each thing that a worker must have, in turn, whether any worker has it. */
function workerReason(view: WaitView): WaitReason {
  const { job, workers } = view
  if (workers.length === 0) return say('no_worker', 'No worker is running: start one with "headrace worker".')
  const ofQueue = workers.filter(({ queues }) => (queues[job.queue] ?? 0) > 0)
  if (ofQueue.length === 0)
    return say(
      'no_worker_for_queue',
      `No worker takes jobs of its queue ${job.queue}: start one with --queues ${job.queue}=1.`,
    )
  const knowing = ofQueue.filter(({ tasks }) => tasks === undefined || tasks.includes(job.task))
  if (knowing.length === 0)
    return say('no_worker_for_task', `No worker that takes its queue ${job.queue} knows ${job.task}.`)
  const ofStack = knowing.filter(({ deployment = '' }) => deployment === (job.deployment ?? ''))
  if (ofStack.length === 0) return say('no_worker_for_deployment', deploymentSentence(job))
  const labelled = ofStack.filter(({ labels = [] }) => (job.labels ?? []).every((label) => labels.includes(label)))
  if (labelled.length === 0)
    return say(
      'no_worker_for_labels',
      `No worker of its queue has all of its labels: ${(job.labels ?? []).join(', ')}.`,
    )
  const wants = wantsOf(job)
  const fitting = labelled.filter((worker) => laneMatcher(worker)(wants))
  if (fitting.length === 0) return say('no_worker_for_needs', needsSentence(wants.amounts ?? {}, labelled))
  return busyReason(view, fitting)
}

function deploymentSentence({ deployment, queue }: WaitingJob): string {
  if (deployment !== undefined) return `No worker of its deployment ${deployment} takes its queue ${queue}.`
  return 'It belongs to no deployment, and every worker that could take it belongs to one.'
}

function needsSentence(needs: Amounts, workers: readonly WorkerRow[]): string {
  const most = (name: string) => Math.max(...workers.map(({ offers = {} }) => amountsOf(offers)[name] ?? 0))
  const parts = Object.entries(needs).map(
    ([name, amount]) => `${name} ${amount} (the most that one offers is ${most(name)})`,
  )
  return `No worker of its queue offers all that it needs: ${parts.join(', ')}.`
}

/** There are workers for it; they have enough to do, or the queue is held back. */
function busyReason({ job, queue }: WaitView, fitting: readonly WorkerRow[]): WaitReason {
  const waiting = queue?.waiting ?? 1
  const line = waiting > 1 ? ` ${count(waiting, 'job')} wait in it.` : ''
  const slots = fitting.reduce((sum, { queues }) => sum + (queues[job.queue] ?? 0), 0)
  if ((queue?.running ?? 0) >= slots) {
    const taken = slots === 1 ? 'The one slot for it is' : `All ${slots} slots for it are`
    return say('slots', `${taken} taken in its queue ${job.queue}.${line}`)
  }
  if (queue?.rate !== undefined) {
    const { count: jobs, perMs } = queue.rate
    return say(
      'rate',
      `Its queue ${job.queue} begins no more than ${count(jobs, 'job')} per ${perMs / 1_000} s.${line}`,
    )
  }
  if (job.needs !== undefined)
    return say('needs', `What runs on the workers leaves less free than it needs: ${needsText(job)}.${line}`)
  return say('soon', `It is due, and a worker takes it in a moment.${line}`)
}

function needsText({ needs = {} }: WaitingJob): string {
  return Object.entries(amountsOf(needs))
    .map(([name, amount]) => `${name} ${amount}`)
    .join(', ')
}

function wantsOf({ task, deployment = '', labels = [], needs }: WaitingJob): LaneWants {
  return { task, deployment, labels, needs, amounts: needs && amountsOf(needs) }
}

function say(code: WaitCode, sentence: string): WaitReason {
  return { code, sentence }
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}
