import { type Diagnosis, ok, warn } from './diagnosis.ts'

export type OldRow = {
  readonly kind: 'transaction' | 'prepared' | 'slot'
  readonly name: string
  readonly owner: string
  readonly username: string
  readonly state: string
  readonly age_seconds: number | null
}

/** None of Headrace's own takes a second. */
export const OLD_SECONDS = 60
/** A slot that is so many transactions behind. */
export const OLD_XIDS = 1_000_000

/** What holds vacuum back. While it lasts, every job that ends leaves rows behind that all later claims must pass. */
export function judgeOldTransactions(rows: readonly OldRow[]): readonly Diagnosis[] {
  if (rows.length === 0) return [ok('vacuum', `no transaction has been open for more than ${OLD_SECONDS} s`)]
  return rows.map(describe)
}

function describe({ kind, name, owner, username, state, age_seconds: age }: OldRow): Diagnosis {
  const since = `for ${Math.round(age ?? 0)} s`
  switch (kind) {
    case 'transaction': {
      const detail = `a transaction of ${owner} (user ${username}, process ${name}) has been open ${since}, ${state}`
      const remedy = `It keeps vacuum from taking dead rows away. Have its program end it, or run: select pg_terminate_backend(${name})`
      return warn('vacuum', detail, remedy)
    }
    case 'prepared': {
      const detail = `the prepared transaction ${name} of ${owner} has been left ${since}`
      return warn('vacuum', detail, `Run: commit prepared '${name}' or rollback prepared '${name}'`)
    }
    case 'slot': {
      const detail = `the replication slot ${name} (${owner}, ${state}) holds old rows back`
      const remedy = `Start what reads it, or drop it: select pg_drop_replication_slot('${name}')`
      return warn('vacuum', detail, remedy)
    }
  }
}
