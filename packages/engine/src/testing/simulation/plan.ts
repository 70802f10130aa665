import { Dice } from './dice.ts'
import type { Faults } from './faulty-store.ts'
import { drawProgram, drawWork, type Op, SIGNALS, type Work } from './program.ts'

/** Harm is done, and jobs are submitted, for so long; afterwards everything has to end. */
export const CHAOS_MS = 30_000
export const LEASE_MS = 4_000

/**
 * All that a simulation does, in plain JSON: drawn from a seed, or what is left of that after shrinking. Together with
 * the seed, from which the finer chances come, it says everything.
 */
export type Plan = {
  readonly seed: number
  /** Each seed has a character of its own: some worlds lose every hint, others are only slow. */
  readonly faults: Faults
  /** Worker processes at the start. */
  readonly machines: number
  readonly submissions: readonly Submission[]
  readonly harms: readonly Harm[]
  /** A schedule starts a task so often. */
  readonly tickMs?: number
}

export type Submission = {
  readonly key: string
  readonly atMs: number
  readonly priority: number
  /** The same request, so often. */
  readonly times: number
  readonly delayMs?: number
  readonly deadlineMs?: number
  /** After it was accepted. */
  readonly cancelMs?: number
  readonly signals?: readonly { readonly name: string; readonly afterMs: number }[]
} & (
  | { readonly task: 'program'; readonly input: readonly Op[] }
  | { readonly task: 'work'; readonly input: Work }
  | { readonly task: 'limited' | 'cached'; readonly input: number }
)

/** Something bad at an instant. `victim`, in [0, 1), is a place among those who live then. */
export type Harm = { readonly atMs: number; readonly victim: number } & (
  | { readonly harm: 'kill'; readonly isUnreachable: boolean; readonly backMs: number }
  /** A worker leaves as it should. */
  | { readonly harm: 'stop'; readonly graceMs: number; readonly backMs: number }
  /** A process stands still, and goes on as if nothing had been. */
  | { readonly harm: 'pause'; readonly forMs: number }
  /** A process runs on, and does not reach the store. */
  | { readonly harm: 'cut'; readonly forMs: number }
  /** The clock of the machine is set, the store's with it. */
  | { readonly harm: 'jump'; readonly byMs: number }
  /** A process reads another time than the store. */
  | { readonly harm: 'skew'; readonly byMs: number }
  | { readonly harm: 'full'; readonly forMs: number }
  /** Any job that was begun. */
  | { readonly harm: 'cancel' }
)

const TROUBLES = ['kill', 'kill', 'pause', 'pause', 'cut', 'cut', 'stop', 'cancel', 'jump', 'skew', 'full'] as const

export function drawPlan(seed: number): Plan {
  const dice = new Dice(`plan ${seed}`)
  const submissions = Array.from({ length: dice.between(6, 14) }, (_, index) => drawSubmission(dice, `key-${index}`))
  return {
    seed,
    faults: drawFaults(dice),
    machines: dice.between(2, 4),
    submissions,
    harms: drawHarms(dice),
    ...(dice.chance(0.3) && { tickMs: dice.between(800, 4_000) }),
  }
}

function drawFaults(dice: Dice): Faults {
  const one = (high: number) => (dice.chance(0.3) ? 0 : dice.random() * high)
  return {
    slow: one(0.1),
    failBefore: one(0.1),
    failAfter: one(0.1),
    late: one(0.05),
    repeated: one(0.05),
    hintLost: dice.chance(0.15) ? 1 : one(0.5),
    hintLateMs: dice.between(0, 200),
  }
}

function drawSubmission(dice: Dice, key: string): Submission {
  const common = {
    key,
    atMs: dice.between(0, CHAOS_MS * 0.8),
    priority: dice.between(-2, 2),
    times: dice.chance(0.2) ? 2 : 1,
    ...(dice.chance(0.2) && { delayMs: dice.between(1, 5_000) }),
    ...(dice.chance(0.1) && { deadlineMs: dice.between(1_000, 20_000) }),
    ...(dice.chance(0.15) && { cancelMs: dice.between(0, 8_000) }),
  }
  const task = dice.pick(['program', 'program', 'program', 'program', 'program', 'work', 'limited', 'cached'] as const)
  if (task === 'work') return { ...common, task, input: drawWork(dice) }
  if (task !== 'program') return { ...common, task, input: dice.between(1, 2) }
  const signals = Array.from({ length: dice.between(0, 2) }, () => ({
    name: dice.pick(SIGNALS),
    afterMs: dice.between(0, 9_000),
  }))
  return { ...common, task, input: drawProgram(dice, 2), ...(signals.length > 0 && { signals }) }
}

function drawHarms(dice: Dice): Harm[] {
  const harms: Harm[] = []
  for (let atMs = dice.between(0, 3_000); atMs < CHAOS_MS; atMs += dice.between(200, 4_000)) {
    harms.push({ atMs, victim: dice.random(), ...drawHarm(dice) } as Harm)
  }
  return harms
}

function drawHarm(dice: Dice) {
  const harm = dice.pick(TROUBLES)
  switch (harm) {
    case 'kill':
      return { harm, isUnreachable: dice.chance(0.3), backMs: dice.between(0, 3_000) }
    case 'stop':
      return { harm, graceMs: dice.between(0, 3_000), backMs: dice.between(0, 3_000) }
    case 'pause':
    case 'cut':
      return { harm, forMs: dice.between(100, LEASE_MS * 3) }
    case 'jump':
    case 'skew':
      return { harm, byMs: dice.pick([-1, 1]) * dice.between(100, dice.chance(0.5) ? 2_000 : 60_000) }
    case 'full':
      return { harm, forMs: dice.between(100, 4_000) }
    case 'cancel':
      return { harm }
  }
}
