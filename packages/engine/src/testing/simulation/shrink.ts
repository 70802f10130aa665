import { type Faults, NO_FAULTS } from './faulty-store.ts'
import type { Harm, Plan, Submission } from './plan.ts'
import type { Op, Work } from './program.ts'

export type Shrunk = { readonly plan: Plan /** How many plans were tried. */; readonly runs: number }

const RUNS_MAX = 600

/**
 * Leaves out of a plan whatever can be left out: faults, jobs, harm, and parts of each.
 * @param breaks whether a plan still breaks the promise that it is all about
 * @returns a plan of which nothing more can be left out, or as far as it came in so many runs
 */
export async function shrinkPlan(
  plan: Plan,
  breaks: (plan: Plan) => Promise<boolean>,
  { runsMax = RUNS_MAX }: { readonly runsMax?: number } = {},
): Promise<Shrunk> {
  const tried = new Set([JSON.stringify(plan)])
  let smallest = plan
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false
    for (const candidate of smallerPlans(smallest)) {
      const text = JSON.stringify(candidate)
      if (tried.has(text)) continue
      if (tried.size > runsMax) return { plan: smallest, runs: tried.size - 1 }
      tried.add(text)
      if (!(await breaks(candidate))) continue
      smallest = candidate
      isSmaller = true
      break
    }
  }
  return { plan: smallest, runs: tried.size - 1 }
}

/** The most that could be left out comes first. */
function* smallerPlans(plan: Plan): Generator<Plan> {
  const { tickMs, ...untimed } = plan
  for (const submissions of fewer(plan.submissions)) yield { ...plan, submissions }
  for (const harms of fewer(plan.harms)) yield { ...plan, harms }
  for (const faults of fewerFaults(plan.faults)) yield { ...plan, faults }
  if (tickMs !== undefined) yield untimed
  if (plan.machines > 1) yield { ...plan, machines: plan.machines - 1 }
  for (const submissions of oneSmaller(plan.submissions, smallerSubmissions)) yield { ...plan, submissions }
  for (const harms of oneSmaller(plan.harms, smallerHarms)) yield { ...plan, harms }
}

/** Without a half of them, a quarter, and so on down to a single one. */
function* fewer<T>(all: readonly T[]): Generator<readonly T[]> {
  if (all.length > 0) yield []
  for (let size = Math.ceil(all.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < all.length; from += size) yield [...all.slice(0, from), ...all.slice(from + size)]
  }
}

function* oneSmaller<T>(all: readonly T[], smaller: (one: T) => Iterable<T>): Generator<readonly T[]> {
  for (const [index, one] of all.entries()) for (const other of smaller(one)) yield all.with(index, other)
}

function* fewerFaults(faults: Faults): Generator<Faults> {
  if (Object.values(faults).some((value) => value > 0)) yield NO_FAULTS
  for (const [name, value] of Object.entries(faults)) if (value > 0) yield { ...faults, [name]: 0 }
}

function* smallerHarms(harm: Harm): Generator<Harm> {
  if ('backMs' in harm && harm.backMs > 0) yield { ...harm, backMs: 0 }
  if (harm.victim > 0) yield { ...harm, victim: 0 }
}

function* smallerSubmissions(submission: Submission): Generator<Submission> {
  const { delayMs, deadlineMs, cancelMs, signals, ...plain } = submission
  if (delayMs ?? deadlineMs ?? cancelMs ?? signals) yield plain as Submission
  for (const name of ['delayMs', 'deadlineMs', 'cancelMs', 'signals'] as const) {
    const { [name]: dropped, ...rest } = submission
    if (dropped !== undefined) yield rest as Submission
  }
  if (submission.times > 1) yield { ...submission, times: 1 }
  if (submission.priority !== 0) yield { ...submission, priority: 0 }
  if (submission.task === 'work') for (const input of smallerWorks(submission.input)) yield { ...submission, input }
  if (submission.task === 'program')
    for (const input of smallerPrograms(submission.input)) yield { ...submission, input }
}

function* smallerPrograms(ops: readonly Op[]): Generator<readonly Op[]> {
  yield* fewer(ops)
  for (const [index, op] of ops.entries()) {
    if (op.op === 'flow') yield [...ops.slice(0, index), ...op.ops, ...ops.slice(index + 1)]
    for (const other of smallerOps(op)) yield ops.with(index, other)
  }
}

function* smallerOps(op: Op): Generator<Op> {
  switch (op.op) {
    case 'try':
      yield op.body
      for (const body of smallerOps(op.body)) yield { ...op, body }
      return
    case 'flow':
      for (const ops of smallerPrograms(op.ops)) yield { ...op, ops }
      return
    case 'all':
    case 'race':
      yield* op.branches
      for (const branches of fewer(op.branches)) if (branches.length > 0) yield { ...op, branches }
      for (const branches of oneSmaller(op.branches, smallerOps)) yield { ...op, branches }
      return
    case 'map':
      for (const works of fewer(op.works)) yield { ...op, works }
      if (op.concurrency !== undefined) yield { op: 'map', works: op.works, collect: op.collect }
      for (const works of oneSmaller(op.works, smallerWorks)) yield { ...op, works }
      return
    case 'mapFlows':
      for (const flows of fewer(op.flows)) yield { ...op, flows }
      for (const flows of oneSmaller(op.flows, smallerPrograms)) yield { ...op, flows }
      return
    case 'session': {
      const { flow, left, ...plain } = op
      if (flow !== undefined) yield { ...plain, ...(left && { left }) }
      if (left !== undefined) yield { ...plain, ...(flow && { flow }) }
      for (const calls of fewer(op.calls)) yield { ...op, calls }
      for (const calls of oneSmaller(op.calls, smallerWorks)) yield { ...op, calls }
      for (const group of fewer(op.group)) yield { ...op, group }
      for (const group of oneSmaller(op.group, smallerWorks)) yield { ...op, group }
      if (flow !== undefined) for (const fewerOps of smallerPrograms(flow)) yield { ...op, flow: fewerOps }
      return
    }
    case 'limited':
      for (const keys of fewer(op.keys)) yield { ...op, keys }
      return
    case 'call':
    case 'start':
    case 'leave':
      for (const work of smallerWorks(op.work)) yield { ...op, work }
      return
    case 'step':
      if (op.ms > 0) yield { ...op, ms: 0 }
      if (op.throws) yield { ...op, throws: false }
      return
    case 'undo':
      if (op.ms > 0) yield { ...op, ms: 0 }
      return
    case 'sleep':
    case 'cached':
    case 'wait':
    case 'draw':
      return
  }
}

function* smallerWorks(work: Work): Generator<Work> {
  if (work.ms > 0) yield { ...work, ms: 0 }
  if (work.throws > 0) yield { ...work, throws: 0 }
  if (work.stubborn) yield { ...work, stubborn: false }
}
