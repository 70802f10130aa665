import { assertNever } from '../../brand.ts'
import type { Faults } from './faulty-store.ts'
import type { Harm, Plan, Submission } from './plan.ts'
import { FAILED_FOR_GOOD, type Op, type SessionOp, type Work } from './program.ts'

/** A plan in words, one line for each thing that happens, in the order of time. */
export function describePlan({ seed, faults, machines, submissions, harms, tickMs }: Plan): string {
  const happens = [
    ...submissions.map((submission) => ({ atMs: submission.atMs, what: describeSubmission(submission) })),
    ...harms.map((harm) => ({ atMs: harm.atMs, what: describeHarm(harm) })),
  ].sort((a, b) => a.atMs - b.atMs)
  return [
    `seed ${seed}, ${machines} worker ${machines === 1 ? 'process' : 'processes'}, ${describeFaults(faults)}`,
    ...(tickMs === undefined ? [] : [`every ${tickMs} ms a schedule starts the task tick`]),
    ...happens.map(({ atMs, what }) => `${seconds(atMs).padStart(7)}  ${what}`),
  ].join('\n')
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`
}

function describeFaults(faults: Faults): string {
  const words: Record<keyof Faults, (value: number) => string> = {
    slow: (value) => `${percent(value)} of the calls slow`,
    failBefore: (value) => `${percent(value)} failing`,
    failAfter: (value) => `${percent(value)} without an answer`,
    late: (value) => `${percent(value)} of the commits late`,
    repeated: (value) => `${percent(value)} repeated`,
    hintLost: (value) => `${percent(value)} of the hints lost`,
    hintLateMs: (value) => `hints up to ${value} ms late`,
  }
  // The keys of `words` are those of `faults`.
  const told = (Object.keys(words) as (keyof Faults)[]).filter((name) => faults[name] > 0)
  return told.length === 0 ? 'a store without faults' : told.map((name) => words[name](faults[name])).join(', ')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function describeSubmission(submission: Submission): string {
  const { key, task, times, priority, delayMs, deadlineMs, cancelMs, signals = [] } = submission
  const what = task === 'program' ? `program ${describeOps(submission.input)}` : describeTask(submission)
  const more = [
    ...(times > 1 ? [`${times} times`] : []),
    ...(priority !== 0 ? [`priority ${priority}`] : []),
    ...(delayMs !== undefined ? [`due after ${seconds(delayMs)}`] : []),
    ...(deadlineMs !== undefined ? [`deadline after ${seconds(deadlineMs)}`] : []),
    ...(cancelMs !== undefined ? [`cancelled after ${seconds(cancelMs)}`] : []),
    ...signals.map(({ name, afterMs }) => `signal ${name} after ${seconds(afterMs)}`),
  ]
  return [`submit ${key}: ${what}`, ...more].join(', ')
}

function describeTask(submission: Exclude<Submission, { task: 'program' }>): string {
  return submission.task === 'work' ? describeWork(submission.input) : `${submission.task}(${submission.input})`
}

function describeOps(ops: readonly Op[]): string {
  return `[${ops.map(describeOp).join(', ')}]`
}

function describeWork({ value, ms, throws, stubborn }: Work): string {
  const fails = throws >= FAILED_FOR_GOOD ? ['fails'] : throws > 0 ? [`throws ${throws} times`] : []
  return `work(${[value, ...(ms > 0 ? [`${ms} ms`] : []), ...fails, ...(stubborn ? ['ignores cancel'] : [])].join(', ')})`
}

function describeOp(op: Op): string {
  switch (op.op) {
    case 'call':
    case 'start':
    case 'leave':
      return `${op.op} ${describeWork(op.work)}`
    case 'flow':
      return `flow ${describeOps(op.ops)}`
    case 'map':
      return `map${op.collect ? ' collecting' : ''}${op.concurrency ? ` ${op.concurrency} at once` : ''} [${op.works.map(describeWork).join(', ')}]`
    case 'mapFlows':
      return `map flows${op.collect ? ' collecting' : ''} [${op.flows.map(describeOps).join(', ')}]`
    case 'all':
    case 'race':
      return `${op.op} ${describeOps(op.branches)}`
    case 'limited':
      return `limited [${op.keys.join(', ')}]`
    case 'cached':
      return `cached(${op.value})`
    case 'wait':
      return `wait for ${op.name} up to ${seconds(op.timeoutMs)}`
    case 'undo':
      return `step to be undone (${op.ms} ms)`
    case 'step':
      return `step (${op.ms} ms${op.throws ? ', throws' : ''})`
    case 'sleep':
      return `sleep ${seconds(op.ms)}`
    case 'draw':
      return 'draw'
    case 'session':
      return describeSession(op)
    case 'try':
      return `try ${describeOp(op.body)}`
    default:
      return assertNever(op)
  }
}

function describeSession({ calls, group, flow, left, restart }: SessionOp): string {
  const parts = [
    ...calls.map((work) => `call ${describeWork(work)}`),
    ...(group.length > 0 ? [`map [${group.map(describeWork).join(', ')}]`] : []),
    ...(flow === undefined ? [] : [`flow ${describeOps(flow)}`]),
    ...(left === undefined ? [] : [`start ${describeWork(left)}`]),
  ]
  return `session${restart ? ' to restart' : ''} [${parts.join(', ')}]`
}

function describeHarm(harm: Harm): string {
  const victim = `process at ${harm.victim.toFixed(2)}`
  switch (harm.harm) {
    case 'kill':
      return `kill the ${victim}${harm.isUnreachable ? ', unseen' : ''}; another comes after ${seconds(harm.backMs)}`
    case 'stop':
      return `stop the ${victim} with ${seconds(harm.graceMs)} of grace; another comes after ${seconds(harm.backMs)}`
    case 'pause':
      return `freeze the ${victim} for ${seconds(harm.forMs)}`
    case 'cut':
      return `cut the ${victim} off for ${seconds(harm.forMs)}`
    case 'jump':
      return `set the clock by ${seconds(harm.byMs)}`
    case 'skew':
      return `set the clock of the ${victim} alone by ${seconds(harm.byMs)}`
    case 'full':
      return `fill the disk for ${seconds(harm.forMs)}`
    case 'cancel':
      return `cancel the job at ${harm.victim.toFixed(2)}`
    default:
      return assertNever(harm)
  }
}
