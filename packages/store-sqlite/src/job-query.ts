import { assertNever, type Job, type JobFilter, type JobId, type JobPage, type Page } from '@headrace/engine'
import { type JobRow, toJob } from '@headrace/engine/rows'
import { type Arm, armsOf, type Range } from './job-arms.ts'
import { jobColumns, jobJoins } from './job-rows.ts'
import type { Prepared } from './prepared.ts'

/** Jobs are numbered in the order of their creation, but for so much: what was accepted at once, and a clock set right. */
const OUT_OF_ORDER_MS = 60_000

/**
 * Jobs by filter, newest first. Each arm reads its own jobs in the order of an index and stops after a page of them; the
 * page is the newest of what they give. One statement, so one state of the store.
 */
export function queryJobs(sql: Prepared, filter: JobFilter, page: Page): JobPage {
  const range = rangeOf(sql, filter, page)
  const arms = armsOf(sql, filter, range)
  const floor = page.depth === undefined ? undefined : floorOf(sql, arms, range, page.depth)
  const rows = readArms(sql, arms, page.limit + 1, floor)
  const shown = rows.slice(0, page.limit)
  const next = rows.length > page.limit ? shown.at(-1)?.seq : floor
  return { jobs: shown.map(toJob), ...(next !== undefined && { next: String(next) }) }
}

function readArms(sql: Prepared, arms: readonly Arm[], limit: number, floor: number | undefined): readonly JobRow[] {
  const parts = arms.map(({ from, joins, seq, by, where }) => {
    const all = [...by.sql, ...(floor === undefined ? [] : [`${seq} >= ?`]), ...where.sql]
    return `
    select ${jobColumns}
    from ${from} ${joins} ${jobJoins}
    where ${all.join(' and ')}
    order by ${seq} desc limit ?`
  })
  const [only] = parts
  if (only === undefined) return []
  // A job that several arms give is the same row in each, and `union` keeps one.
  const text =
    parts.length === 1
      ? only
      : `${parts.map((part) => `select * from (${part})`).join(' union ')} order by seq desc limit ?`
  const values = arms.flatMap(({ by, where }) => [
    ...by.values,
    ...(floor === undefined ? [] : [floor]),
    ...where.values,
    limit,
  ])
  return sql.text(text).all(...values, ...(parts.length === 1 ? [] : [limit])) as JobRow[]
}

/** The numbers among which the jobs of a filter are. */
function rangeOf(sql: Prepared, { createdFrom, createdTo }: JobFilter, { before }: Page): Range {
  const below = before === undefined ? Number.MAX_SAFE_INTEGER : Number(before)
  return {
    before: createdTo === undefined ? below : Math.min(below, firstSince(sql, createdTo + OUT_OF_ORDER_MS)),
    from: createdFrom === undefined ? 0 : firstSince(sql, createdFrom - OUT_OF_ORDER_MS),
  }
}

/** The number of the first job that was created at an instant or later, by halving. */
function firstSince(sql: Prepared, at: number): number {
  let { low, high } = numbersOf(sql)
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const job = sql.get<{ seq: number; created_at: number }>('createdSince', middle)
    if (job === undefined || job.created_at >= at) high = middle - 1
    else low = job.seq + 1
  }
  return low
}

/** The least and the greatest number of a job. */
function numbersOf(sql: Prepared): { readonly low: number; readonly high: number } {
  const row = sql.get<{ low: number | null; high: number | null }>('jobNumbers')
  return { low: row?.low ?? 0, high: row?.high ?? 0 }
}

/** The number to which a page of such a depth reaches; undefined where it reaches to the end. */
function floorOf(sql: Prepared, arms: readonly Arm[], range: Range, depth: number): number | undefined {
  const floor = Math.max(0, ...arms.map((arm) => floorOfArm(sql, arm, range, depth)))
  return floor > 0 ? floor : undefined
}

function floorOfArm(sql: Prepared, { rows, from, seq, by }: Arm, range: Range, depth: number): number {
  switch (rows) {
    case 'few':
      return 0
    case 'many': {
      const text = `select ${seq} as seq from ${from} where ${by.sql.join(' and ')} order by ${seq} desc limit 1 offset ?`
      const row = sql.text(text).get(...by.values, depth - 1) as { readonly seq: number } | undefined
      return row?.seq ?? 0
    }
    case 'one for each number': {
      const { low, high } = numbersOf(sql)
      const floor = Math.min(range.before, high + 1) - depth
      return floor > Math.max(range.from, low) ? floor : 0
    }
    default:
      return assertNever(rows)
  }
}

export function queryJob(sql: Prepared, id: JobId): Job | undefined {
  const row = sql.text(`select ${jobColumns} from jobs ${jobJoins} where jobs.id = ?`).get(id)
  return row === undefined ? undefined : toJob(row as JobRow)
}

/** A job and its descendants, oldest first. */
export function queryTree(sql: Prepared, id: JobId, limit: number): Job[] {
  const statement = sql.text(`
    with recursive tree (seq) as (
      select seq from jobs where id = ?
      union all
      select child.seq from tree cross join jobs as child indexed by jobs_children on child.parent_seq = tree.seq
      limit ?
    )
    select ${jobColumns}
    from tree cross join jobs on jobs.seq = tree.seq ${jobJoins}
    order by jobs.seq`)
  return (statement.all(id, limit) as JobRow[]).map(toJob)
}
