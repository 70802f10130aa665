/** What one look at a store's server found. `remedy` says what to do about it. */
export type Diagnosis = {
  readonly subject: 'store' | 'bloat' | 'vacuum' | 'listeners' | 'clock' | 'durability' | 'connections'
  readonly outcome: 'ok' | 'warn' | 'fail'
  readonly detail: string
  readonly remedy?: string
}

export type Subject = Diagnosis['subject']

export function ok(subject: Subject, detail: string): Diagnosis {
  return { subject, outcome: 'ok', detail }
}

export function warn(subject: Subject, detail: string, remedy: string): Diagnosis {
  return { subject, outcome: 'warn', detail, remedy }
}

export function fail(subject: Subject, detail: string, remedy: string): Diagnosis {
  return { subject, outcome: 'fail', detail, remedy }
}
