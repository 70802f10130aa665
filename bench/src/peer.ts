/** A job system under measurement: its producer is here, its worker in a process of its own. */
export interface Peer extends AsyncDisposable {
  readonly name: string
  /** What is on the disk when an accepted job's id is given out. */
  readonly durability: string
  /** Enqueues `count` no-op jobs in bulk, and resolves when every result is stored. */
  runBulk(count: number): Promise<void>
  /** The same, one call per job, so many in flight. */
  runEach(count: number, inflight: number): Promise<void>
  /** Throws unless the jobs of the last run have their results; outside of any timing. */
  verify(): Promise<void>
  /** One job at a time on an idle system. @returns milliseconds from submit to result in hand, one per job */
  roundTrips(count: number): Promise<number[]>
  /** A parent with so many children, joined; until the parent's result is in hand. @returns results that it received */
  runChord(children: number): Promise<number>
  /** So many chains at once, each step a job that gets the result of the one before. @returns right last results */
  runChains(chains: number, steps: number): Promise<number>
}
