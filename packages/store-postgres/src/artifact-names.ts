import { ARTIFACT_NOTES, type ArtifactNames } from '@headrace/engine'
import { FIRST_KEYS, type NamingRow, namesStatement, readNamesPlace, toArtifactNames } from '@headrace/engine/rows'
import { composed } from './connection/composed.ts'
import { statements } from './connection/named.ts'
import type { Call } from './connection/pipeline.ts'
import { call, type Session } from './connection/session.ts'

const WRITES_BEFORE = 'writes before '
const newestWrite = composed('select pg_snapshot_xmax(pg_current_snapshot())::text as xid')
const areWritesOver = composed('select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as are_over')

/** A page. What was begun before the first one is waited for: its names may be on no page otherwise. See `Store.artifactNames`. */
export async function artifactNames(
  session: Session,
  { limit, after }: { readonly limit: number; readonly after?: string },
): Promise<ArtifactNames> {
  if (after === undefined) {
    const [row] = await session.run<{ readonly xid: string }>(newestWrite, [])
    return artifactNames(session, { limit, after: `${WRITES_BEFORE}${row?.xid}` })
  }
  if (after.startsWith(WRITES_BEFORE)) {
    const xid = after.slice(WRITES_BEFORE.length)
    const [row] = await session.run<{ readonly are_over: boolean }>(areWritesOver, [xid])
    if (row?.are_over !== true) return { names: [], payloads: [], next: after }
  }
  const place = readNamesPlace(after.startsWith(WRITES_BEFORE) ? undefined : after)
  const key = place.key?.length ? place.key : FIRST_KEYS[place.table]
  const rows = await session.run<NamingRow>(statements[namesStatement(place.table)], [...key, limit])
  return toArtifactNames(place, rows, limit)
}

/**
 * The artifacts that are named are not to be removed. It stands behind what names them: by then the transaction has its
 * number, and whoever notes one of them afterwards waits for it before he looks for names.
 */
export function deleteNotes(names: readonly string[]): readonly Call[] {
  return names.length === 0 ? [] : [call(statements.deleteNotes, ARTIFACT_NOTES, names)]
}
