export { seededRandom } from '../flow/seeded-random.ts'
export { type Breach, checkHistory, type RuleName } from './history/check-history.ts'
export {
  type Cap,
  type Effect,
  NO_WITNESS,
  readHistory,
  type StoreHistory,
  type Witness,
} from './history/store-history.ts'
export { ManualClock } from './manual-clock.ts'
export { type Replayed, replay } from './replay/replay.ts'
export { describeFailure, ruleOf, shrinkReport } from './simulation/find-bug.ts'
export { mirrored } from './simulation/mirrored-store.ts'
export type { Shrunk } from './simulation/shrink.ts'
export {
  type OpenSimulated,
  type Plan,
  type SimulatedProcess,
  type SimulationOptions,
  type SimulationReport,
  simulate,
} from './simulation.ts'
