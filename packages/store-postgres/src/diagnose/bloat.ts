import { type Diagnosis, ok, warn } from './diagnosis.ts'

export type TableRow = {
  readonly name: string
  readonly live: number
  readonly dead: number
  readonly size_bytes: number
  readonly was_never_vacuumed: boolean
  readonly vacuumed_seconds_ago: number | null
}

/** Below this, autovacuum has no reason to come yet. */
const DEAD_MIN = 20_000
/** A table may have so many dead rows for each living one: `live` and `notes` are emptied as fast as they are filled. */
const DEAD_PER_LIVE = 2

/** Tables of which most is dead: claims and settlements read past all of it. */
export function judgeBloat(
  tables: readonly TableRow[],
  { schema, autovacuum }: { readonly schema: string; readonly autovacuum: string },
): readonly Diagnosis[] {
  const off = autovacuum === 'off' ? [autovacuumOff()] : []
  const bloated = tables.filter(({ dead, live }) => dead >= DEAD_MIN && dead > live * DEAD_PER_LIVE)
  const worst = Math.max(0, ...tables.map(({ dead }) => dead))
  if (bloated.length === 0) return [...off, ok('bloat', `no table is mostly dead rows; the most in one are ${worst}`)]
  return [...off, ...bloated.map((table) => describe(table, schema))]
}

function describe({ name, dead, live, size_bytes: size, ...last }: TableRow, schema: string): Diagnosis {
  const when = last.was_never_vacuumed
    ? 'it was never vacuumed'
    : `it was vacuumed ${Math.round(last.vacuumed_seconds_ago ?? 0)} s ago`
  const detail = `${schema}.${name} has ${dead} dead rows beside ${live} living ones in ${Math.round(size / 1e6)} MB; ${when}`
  const remedy = `See first whether a transaction holds vacuum back (below), then run: vacuum (analyze) ${schema}.${name}`
  return warn('bloat', detail, remedy)
}

function autovacuumOff(): Diagnosis {
  const remedy = 'Set autovacuum = on in postgresql.conf and reload: without it claims become slower by the hour.'
  return warn('bloat', 'autovacuum is off on this server', remedy)
}
