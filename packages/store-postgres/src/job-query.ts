import type { Job, JobFilter, JobId, JobPage, Page } from '@headrace/engine'
import { type JobRow, toJob } from '@headrace/engine/rows'
import { composed } from './connection/composed.ts'
import { statements } from './connection/named.ts'
import type { Session } from './connection/session.ts'
import type { Value } from './connection/values.ts'
import { armsOf, type KnownFilter, knownFilter, Values } from './job-arms.ts'
import { jobColumns, jobJoins } from './job-rows.ts'

/** Jobs are numbered in the order of their creation, but for so much: what was accepted at once, and a clock set right. */
const OUT_OF_ORDER_MS = 60_000

/**
 * Jobs by filter, newest first. Each arm reads its own jobs in the order of an index and stops after a page of them; the
 * page is the newest of what they give. One statement, so one state of the store.
 */
export async function queryJobs(session: Session, asked: JobFilter, page: Page): Promise<JobPage> {
  const before = page.before === undefined ? Number.MAX_SAFE_INTEGER : Number(page.before)
  if (!Number.isSafeInteger(before)) return { jobs: [] }
  const filter = await knownFilter(session, asked)
  const { text, values } = pageQuery(filter, page, await rangeOf(session, filter, before))
  const found = await session.run<JobRow & { readonly floor: number | null }>(composed(text), values)
  const rows = found.filter(({ seq }) => seq !== null)
  const shown = rows.slice(0, page.limit)
  const next = rows.length > page.limit ? shown.at(-1)?.seq : found[0]?.floor
  return { jobs: shown.map(toJob), ...(next != null && { next: String(next) }) }
}

/** Its rows say with each job, or without any, to which number the page reaches; null where it reaches to the end. */
function pageQuery(filter: KnownFilter, { limit, depth }: Page, range: Range): Query {
  const values = new Values()
  const [before, from] = [values.add(range.before, 'bigint'), values.add(range.from, 'bigint')]
  const arms = armsOf(filter, before, values)
  const looked = depth === undefined ? undefined : values.add(depth, 'bigint')
  const floors = looked === undefined ? [] : arms.flatMap((arm) => arm.floor?.({ from, depth: looked }) ?? [])
  const reach = {
    from: `coalesce((select floor from reached), ${from})`,
    ...(looked !== undefined && { depth: looked }),
  }
  const most = values.add(limit + 1, 'bigint')
  const parts = arms.map((arm) => {
    const where = ['true', ...arm.where(reach)]
    return `
      (select chosen.seq from (${arm.chosen(reach)}) as chosen join jobs on jobs.seq = chosen.seq
       where ${where.join(' and ')} order by ${arm.order.replaceAll(/key|seq/g, 'chosen.$&')} limit ${most})`
  })
  const text = `
    with reached as materialized (
      select nullif(greatest(${[from, ...floors].join(', ')}), ${from}) as floor where ${before} is not null
    ),
    page as materialized (
      select seq from (${parts.length > 0 ? parts.join(' union ') : 'select 0 as seq where false'}) as found
      order by seq desc limit ${most}
    )
    select reached.floor, ${jobColumns}
    from reached left join page on true left join jobs on jobs.seq = page.seq ${jobJoins}
    order by page.seq desc`
  return { text, values: values.all }
}

type Query = { readonly text: string; readonly values: readonly Value[] }

/** Jobs below a number, and from another one on. */
type Range = { readonly before: number; readonly from: number }

/** The numbers among which the jobs of a filter are. */
async function rangeOf(session: Session, { createdFrom, createdTo }: JobFilter, before: number): Promise<Range> {
  const to = createdTo === undefined ? before : await firstSince(session, createdTo + OUT_OF_ORDER_MS)
  const from = createdFrom === undefined ? 0 : await firstSince(session, createdFrom - OUT_OF_ORDER_MS)
  return { before: Math.min(before, to), from }
}

/** The number of the first job that was created at an instant or later. */
async function firstSince(session: Session, at: number): Promise<number> {
  const [row] = await session.run<{ readonly seq: number | null }>(statements.createdSince, [at])
  return row?.seq ?? 0
}

export async function queryJob(session: Session, id: JobId): Promise<Job | undefined> {
  const text = `select ${jobColumns} from jobs ${jobJoins} where jobs.id = $1::uuid`
  const [row] = await session.run<JobRow>(composed(text), [id])
  return row === undefined ? undefined : toJob(row)
}

/** A job and its descendants, oldest first. */
export async function queryTree(session: Session, id: JobId, limit: number): Promise<Job[]> {
  const text = `
    with recursive tree (seq) as (
      select seq from jobs where id = $1::uuid
      union all
      select child.seq from tree join jobs as child on child.parent_seq = tree.seq
    ),
    shown as materialized (select seq from tree limit $2::bigint)
    select ${jobColumns}
    from shown join jobs on jobs.seq = shown.seq ${jobJoins}
    order by jobs.seq`
  return (await session.run<JobRow>(composed(text), [id, limit])).map(toJob)
}
