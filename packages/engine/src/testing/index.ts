export { ManualClock } from './manual-clock.ts'
export { type SimulatedProcess, type SimulationOptions, type SimulationReport, simulate } from './simulation.ts'
