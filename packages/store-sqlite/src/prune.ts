import { type Pruned, type PruneRequest, pruneHorizon } from '@headrace/engine'
import {
  isDueToGo,
  PRUNE_REMOVALS,
  type PruneCandidate,
  type PrunePlace,
  readPrunePlace,
  writePrunePlace,
} from '@headrace/engine/rows'
import type { Context } from './prepared.ts'

/** One step through the history. See `Store.prune`. */
export function prune(context: Context, { retention, limit, after, dryRun = false }: PruneRequest): Pruned {
  const { sql, clock } = context
  const now = clock.now()
  const horizon = pruneHorizon(retention, now)
  if (horizon === undefined) return { jobs: 0 }
  const from = readPrunePlace(after)
  const newest = sql.get<{ seq: number; root_seq: number }>('newestJob')
  const rows = sql.all<PruneCandidate>('pruneCandidates', from.seq, limit)
  let { seq } = from
  let jobs = 0
  for (const row of rows) {
    // Nothing behind it can have ended long enough ago.
    if (row.created_at > horizon) return ended(context, { from: { ...from, seq }, jobs, horizon, limit, dryRun })
    // Numbers are given in order; one that went with the newest job would be given again.
    if (
      isDueToGo(row, retention, now) &&
      row.seq !== newest?.root_seq &&
      sql.get('treeInUse', row.seq, row.seq) === undefined
    ) {
      const tree = removeTree(context, row.seq, limit - jobs, dryRun)
      jobs += tree.jobs
      if (!tree.isGone) return { jobs, next: writePrunePlace({ ...from, seq }) }
    }
    seq = row.seq
    if (jobs >= limit) return { jobs, next: writePrunePlace({ ...from, seq }) }
  }
  if (rows.length === limit) return { jobs, next: writePrunePlace({ ...from, seq }) }
  return ended(context, { from: { ...from, seq }, jobs, horizon, limit, dryRun })
}

/** From the youngest descendant up, so that what is left after a step is still found from its top. */
function removeTree({ sql }: Context, root: number, limit: number, dryRun: boolean): { jobs: number; isGone: boolean } {
  if (dryRun) {
    const { n } = sql.get<{ n: number }>('countTree', root) ?? { n: 0 }
    return { jobs: n + 1, isGone: true }
  }
  const seqs = sql.all<{ seq: number }>('descendants', root, limit).map(({ seq }) => seq)
  const isGone = seqs.length < limit
  if (isGone) seqs.push(root)
  const list = JSON.stringify(seqs)
  for (const name of PRUNE_REMOVALS) sql.run(name, list)
  return { jobs: seqs.length, isGone }
}

/** All jobs were looked at; then the log, of which a row goes with the last of its jobs. */
function ended(
  { sql }: Context,
  step: {
    readonly from: PrunePlace
    readonly jobs: number
    readonly horizon: number
    readonly limit: number
    readonly dryRun: boolean
  },
): Pruned {
  const { from, jobs, horizon, limit, dryRun } = step
  if (dryRun) return { jobs }
  const rows = sql.all<{ last: number; is_gone: number }>('pruneLogCandidates', from.log, horizon, limit)
  const gone = rows.filter(({ is_gone: isGone }) => isGone === 1).map(({ last }) => last)
  if (gone.length > 0) sql.run('pruneLog', JSON.stringify(gone))
  const last = rows.at(-1)?.last
  return rows.length < limit || last === undefined ? { jobs } : { jobs, next: writePrunePlace({ ...from, log: last }) }
}
