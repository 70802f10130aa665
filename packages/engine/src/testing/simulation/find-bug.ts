import { type OpenSimulated, type SimulationReport, simulate } from '../simulation.ts'
import { describePlan } from './describe-plan.ts'
import type { Plan } from './plan.ts'
import { type Shrunk, shrinkPlan } from './shrink.ts'

/** The rule that a line of `SimulationReport.broken` begins with. */
export function ruleOf(broken: string | undefined): string | undefined {
  return broken?.split(':')[0]
}

/** The smallest plan that breaks a rule: the first that this report says was broken. @param open makes a fresh store for each run */
export function shrinkReport(
  { plan, broken }: SimulationReport,
  open: () => OpenSimulated,
  { rule = ruleOf(broken[0]), ...options }: { readonly rule?: string | undefined; readonly runsMax?: number } = {},
): Promise<Shrunk> {
  const breaks = async (smaller: Plan) =>
    (await simulate({ plan: smaller, open: open() })).broken.some((line) => ruleOf(line) === rule)
  return shrinkPlan(plan, breaks, options)
}

/** What was broken, the line that repeats it, and the smallest plan that breaks it too. */
export function describeFailure(
  { plan, broken }: Pick<SimulationReport, 'plan' | 'broken'>,
  store: string,
  shrunk?: Shrunk,
): string {
  const repeat = (what: string) => `npm run simulate -- --store ${store} ${what}`
  const lines = [
    `${broken.length} promises were broken with seed ${plan.seed}; repeat it with`,
    `  ${repeat(`--from ${plan.seed} --seeds 1`)}`,
    ...broken.slice(0, 10).map((line) => `  ${line}`),
  ]
  if (shrunk === undefined) return lines.join('\n')
  return [
    ...lines,
    `the same is broken (found in ${shrunk.runs} tries) by`,
    ...describePlan(shrunk.plan)
      .split('\n')
      .map((line) => `  ${line}`),
    `  ${repeat(`--plan '${JSON.stringify(shrunk.plan)}'`)}`,
  ].join('\n')
}
