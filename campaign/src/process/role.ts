/** What a process of the campaign is told to be. */
export type Role = {
  readonly kind: 'worker' | 'submitter'
  readonly name: string
  /** A file, or postgres://… */
  readonly store: string
  /** Where it notes down what it does. */
  readonly ledger: string
  /** Of a submitter: what it asks for, in which order. The same after each restart. */
  readonly seed: string
  readonly leaseMs: number
}

/** What a process is told while it lives. */
export type Order = 'finish'
