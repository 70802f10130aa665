import { ARTIFACT_NOTES, type ArtifactNames } from '@headrace/engine'
import { FIRST_KEYS, type NamingRow, namesStatement, readNamesPlace, toArtifactNames } from '@headrace/engine/rows'
import type { Prepared } from './prepared.ts'

/** A page. Only one transaction writes at a time, so what was begun before it is stored. See `Store.artifactNames`. */
export function artifactNames(
  sql: Prepared,
  { limit, after }: { readonly limit: number; readonly after?: string },
): ArtifactNames {
  const place = readNamesPlace(after)
  const key = place.key?.length ? place.key : FIRST_KEYS[place.table]
  return toArtifactNames(place, sql.all<NamingRow>(namesStatement(place.table), ...key, limit), limit)
}

/** The artifacts that are named are not to be removed. */
export function deleteNotes(sql: Prepared, names: readonly string[]): void {
  for (const name of names) sql.run('deleteSetting', ARTIFACT_NOTES, name)
}
