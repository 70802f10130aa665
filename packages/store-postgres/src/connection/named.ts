import * as namespace from '../statements.ts'
import type { Prepared } from './prepared.ts'

export type StatementName = keyof typeof namespace

/** Every named statement, as a connection prepares it. */
export const statements = Object.fromEntries(
  Object.entries(namespace).map(([name, text]) => [name, { name, text }]),
) as Readonly<Record<StatementName, Prepared>>
