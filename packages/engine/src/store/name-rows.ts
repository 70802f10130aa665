import { artifactNamesIn, unreadPayloadOf } from '../collection/artifact-names.ts'
import type { ArtifactNames } from './store.ts'

/** The tables in which artifacts are named, in the order in which they are read, each by its primary key. */
export const NAMING_TABLES = [
  'jobs',
  'outcomes',
  'steps',
  'events',
  'progress',
  'signals',
  'schedules',
  'settings',
] as const
export type NamingTable = (typeof NAMING_TABLES)[number]

/** A row of one of them: its key, and its text where that names something. */
export type NamingRow = {
  readonly k1: number | string
  readonly k2: number | string | null
  readonly text: string | null
}

/** The row after which a page begins; undefined: at the first one. */
export type NamesPlace = { readonly table: NamingTable; readonly key?: readonly (number | string)[] }

/** What comes before the first key, by table. */
export const FIRST_KEYS: Readonly<Record<NamingTable, readonly (number | string)[]>> = {
  jobs: [0],
  outcomes: [0],
  steps: [0, 0],
  events: [0],
  progress: [0],
  signals: [0],
  schedules: [''],
  settings: ['', ''],
}

/** What both SQL stores call the statement that reads a page of such a table. */
export function namesStatement(table: NamingTable): `namesIn${Capitalize<NamingTable>}` {
  // Sound: the type says what is done here.
  return `namesIn${table.charAt(0).toUpperCase()}${table.slice(1)}` as `namesIn${Capitalize<NamingTable>}`
}

export function readNamesPlace(text: string | undefined): NamesPlace {
  if (text === undefined) return { table: 'jobs' }
  const [table, ...key] = JSON.parse(text) as [NamingTable, ...(number | string)[]] // sound: written below
  return { table, key }
}

/** What a page says: of a table that had fewer rows than were asked for, nothing is left. */
export function toArtifactNames({ table }: NamesPlace, rows: readonly NamingRow[], limit: number): ArtifactNames {
  const texts = rows.flatMap(({ text }) => text ?? [])
  const last = rows.length < limit ? undefined : rows.at(-1)
  const nextTable = NAMING_TABLES[NAMING_TABLES.indexOf(table) + 1]
  const next = last === undefined ? nextTable && [nextTable] : [table, last.k1, ...(last.k2 === null ? [] : [last.k2])]
  return {
    names: texts.flatMap(artifactNamesIn),
    payloads: texts.flatMap(unreadPayloadOf),
    ...(next !== undefined && { next: JSON.stringify(next) }),
  }
}
