/** What can be done to a place where jobs are stored; each is over, and mended, when its promise resolves. */
export type PlaceHarm = {
  readonly name: 'disk full' | 'server crash' | 'connections cut'
  inflict(forMs: number): Promise<void>
}

/** Where the jobs of one round are stored. */
export interface Place extends AsyncDisposable {
  /** What its processes are given: a file, or postgres://… */
  readonly store: string
  readonly harms: readonly PlaceHarm[]
  /** Harms that are not done here, each with the reason. */
  readonly skipped: readonly string[]
}
