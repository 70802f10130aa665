import * as cache from '../cache-statements.ts'
import * as limits from '../limit-statements.ts'
import * as routing from '../routing-statements.ts'
import * as sessions from '../session-statements.ts'
import * as main from '../statements.ts'
import type { Prepared } from './prepared.ts'

const namespace = { ...main, ...limits, ...cache, ...routing, ...sessions }

export type StatementName = keyof typeof namespace

/** Every named statement, as a connection prepares it. */
export const statements = Object.fromEntries(
  Object.entries(namespace).map(([name, text]) => [name, { name, text }]),
) as Readonly<Record<StatementName, Prepared>>
