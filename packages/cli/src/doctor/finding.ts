/** What one check found. `remedy` says what to do about it. */
export type Finding = {
  readonly check: string
  readonly outcome: 'ok' | 'warn' | 'fail'
  readonly detail: string
  readonly remedy?: string
}

export function ok(check: string, detail: string): Finding {
  return { check, outcome: 'ok', detail }
}

export function warn(check: string, detail: string, remedy: string): Finding {
  return { check, outcome: 'warn', detail, remedy }
}

export function fail(check: string, detail: string, remedy: string): Finding {
  return { check, outcome: 'fail', detail, remedy }
}

/** @example megabytes(2_500_000) // '2.5 MB' */
export function megabytes(sizeBytes: number): string {
  return sizeBytes >= 1e9 ? `${(sizeBytes / 1e9).toFixed(1)} GB` : `${(sizeBytes / 1e6).toFixed(1)} MB`
}
