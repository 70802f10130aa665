import { type Pruned, type PruneRequest, pruneHorizon } from '@headrace/engine'
import {
  isDueToGo,
  PRUNE_REMOVALS,
  type PruneCandidate,
  type PrunePlace,
  readPrunePlace,
  writePrunePlace,
} from '@headrace/engine/rows'
import { statements } from './connection/named.ts'
import { call } from './connection/session.ts'
import type { Work } from './context.ts'

/** The advisory lock of whoever removes old jobs. */
const PRUNE_LOCK = -3

/** One step through the history. See `Store.prune`. Two at a time follow one another. */
export async function prune(work: Work, { retention, limit, after, dryRun = false }: PruneRequest): Promise<Pruned> {
  const { tx, now } = work
  const horizon = pruneHorizon(retention, now)
  if (horizon === undefined) return { jobs: 0 }
  const from = readPrunePlace(after)
  const [, newest = [], found = []] = await tx.all([
    call(statements.lockPruning, PRUNE_LOCK),
    call(statements.newestJob),
    call(statements.pruneCandidates, from.seq, limit),
  ])
  const newestRoot = newest[0]?.root_seq
  // The statement's own columns.
  const rows = found as unknown as readonly PruneCandidate[]
  let { seq } = from
  let jobs = 0
  for (const row of rows) {
    // Nothing behind it can have ended long enough ago.
    if (row.created_at > horizon) return ended(work, { from: { ...from, seq }, jobs, horizon, limit, dryRun })
    if (
      isDueToGo(row, retention, now) &&
      row.seq !== newestRoot &&
      (await tx.row('treeInUse', row.seq)) === undefined
    ) {
      const tree = await removeTree(work, row.seq, limit - jobs, dryRun)
      jobs += tree.jobs
      if (!tree.isGone) return { jobs, next: writePrunePlace({ ...from, seq }) }
    }
    seq = row.seq
    if (jobs >= limit) return { jobs, next: writePrunePlace({ ...from, seq }) }
  }
  if (rows.length === limit) return { jobs, next: writePrunePlace({ ...from, seq }) }
  return ended(work, { from: { ...from, seq }, jobs, horizon, limit, dryRun })
}

/** From the youngest descendant up, so that what is left after a step is still found from its top. */
async function removeTree(
  { tx }: Work,
  root: number,
  limit: number,
  dryRun: boolean,
): Promise<{ readonly jobs: number; readonly isGone: boolean }> {
  if (dryRun) {
    const row = await tx.row<{ readonly n: number }>('countTree', root)
    return { jobs: Number(row?.n ?? 0) + 1, isGone: true }
  }
  const rows = await tx.rows<{ readonly seq: number }>('descendants', root, limit)
  const seqs = rows.map(({ seq }) => seq)
  const isGone = seqs.length < limit
  if (isGone) seqs.push(root)
  for (const name of PRUNE_REMOVALS) tx.later(name, seqs)
  return { jobs: seqs.length, isGone }
}

/** All jobs were looked at; then the log, of which a row goes with the last of its jobs. */
async function ended(
  { tx }: Work,
  step: {
    readonly from: PrunePlace
    readonly jobs: number
    readonly horizon: number
    readonly limit: number
    readonly dryRun: boolean
  },
): Promise<Pruned> {
  const { from, jobs, horizon, limit, dryRun } = step
  if (dryRun) return { jobs }
  type LogRow = { readonly cursor: number; readonly is_gone: boolean }
  const rows = await tx.rows<LogRow>('pruneLogCandidates', from.log, horizon, limit)
  const gone = rows.filter(({ is_gone: isGone }) => isGone).map(({ cursor }) => cursor)
  if (gone.length > 0) tx.later('pruneLog', gone)
  const last = rows.at(-1)?.cursor
  return rows.length < limit || last === undefined ? { jobs } : { jobs, next: writePrunePlace({ ...from, log: last }) }
}
