import type { WorkerProcess } from './process/worker-process.ts'

/** What is measured. A peer may be set up differently for each, as its users would set it up for such a load. */
export const benches = [
  'throughput',
  'latency',
  'chord',
  'chain',
  'recovery',
  'backlog',
  'history',
  'held',
  'waiting',
  'idle',
] as const
export type Bench = (typeof benches)[number]

export type Urgency = 'normal' | 'urgent'

/**
 * A job system under measurement, on an empty store of its own, alone at work on the machine while it is open. Its producer
 * is here; its workers are processes of their own, started by whoever measures.
 */
export interface Peer extends AsyncDisposable {
  /** What is on the disk when an accepted job's id is given out. */
  readonly durability: string
  /** Its server's root process, where it has one on this machine. */
  readonly serverPid: number | undefined
  /** Its producer's process, where that is not this one. */
  readonly producerPid?: number | undefined
  startWorker(): Promise<WorkerProcess>
  /** Enqueues so many no-op jobs in bulk; resolves when all are accepted. */
  enqueueBulk(count: number): Promise<void>
  /** The same, one call per job, so many in flight. */
  enqueueEach(count: number, inflight: number): Promise<void>
  /** Resolves when every job that was enqueued so far has its result stored. */
  allEnded(): Promise<void>
  /** How many jobs still wait or run. */
  unended(): Promise<number>
  /** Throws unless jobs that ended have their results; outside of any timing. */
  verify(): Promise<void>
  /** One job at a time. @returns milliseconds from submit to result in hand, one per job */
  roundTrips(count: number, urgency: Urgency): Promise<number[]>
  /** A parent with so many children, joined; until the parent's result is in hand. @returns results that it received */
  runChord?(children: number): Promise<number>
  /** So many chains at once, each step a job that gets the result of the one before. @returns right last results */
  runChains?(chains: number, steps: number): Promise<number>
  /** Jobs that take so long; each notes its start in the file that `BENCH_STARTS` names. */
  enqueueSlow(count: number, ms: number): Promise<void>
  /** Starts so many workflows that wait for a signal; resolves when all of them wait. */
  waitForSignals?(count: number): Promise<void>
  /** Sends each of them its signal; resolves when all have ended. */
  signalAll?(): Promise<void>
  /** Claims so many jobs at a time. @returns milliseconds of each claim; the jobs are settled outside of it */
  claimTimes?(count: number, slots: number): Promise<number[]>
  /** Makes the store look as if so many jobs had been finished in it. */
  addHistory?(finished: number): Promise<void>
  /** Holds a reader open at the store, as a report or a forgotten session does; until it is disposed of. */
  holdReader?(): Promise<AsyncDisposable>
}

export type Installed = {
  /** Of itself and of what it runs on, by name. */
  readonly versions: Readonly<Record<string, string>>
  open(bench: Bench): Promise<Peer>
}

export type PeerKind = {
  readonly name: string
  /** The benches that it is not put through, each with the reason. */
  readonly lacks: Readonly<Partial<Record<Bench, string>>>
  /** Of the jobs, children or waiting jobs that Headrace is given, it gets this share: its rate is steady, and time is short. */
  readonly share: Readonly<Partial<Record<Bench | 'each', number>>>
  find(): Promise<Installed | { readonly missing: string }>
}

/** Whether it is Headrace itself. */
export function isOurs({ name }: Pick<PeerKind, 'name'>): boolean {
  return name.startsWith('headrace:')
}
