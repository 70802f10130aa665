import { assertNever, type Told } from '@headrace/engine'
import { statements } from './connection/named.ts'
import type { Call } from './connection/pipeline.ts'
import { call } from './connection/session.ts'
import { withoutNul } from './connection/values.ts'

/** The statements that keep what attempts tell, of those that the worker still holds. */
export function tellCalls(told: readonly Told[], worker: number): Call[] {
  if (told.length === 0) return []
  const list = <T>(pick: (one: Told) => T) => told.map(pick)
  const events = call(
    statements.tellHeld,
    list(({ lease }) => lease.row),
    list(({ lease }) => lease.attempt),
    list(({ kind }) => kind),
    list(({ at }) => at),
    list((one) => (one.kind === 'log' ? one.level : null)),
    list((one) => (one.kind === 'log' ? withoutNul(one.message) : null)),
    list(dataOf),
    worker,
  )
  return [events, ...progressCalls(told, worker)]
}

function progressCalls(told: readonly Told[], worker: number): Call[] {
  const last = new Map<number, Extract<Told, { kind: 'progress' }>>()
  for (const one of told) if (one.kind === 'progress') last.set(one.lease.row, one)
  if (last.size === 0) return []
  const ones = [...last.values()].sort((a, b) => a.lease.row - b.lease.row)
  return [
    call(
      statements.keepProgress,
      ones.map(({ lease }) => lease.row),
      ones.map(({ lease }) => lease.attempt),
      ones.map(({ fraction }) => fraction),
      ones.map(({ message }) => (message === undefined ? null : withoutNul(message))),
      ones.map(({ at }) => at),
      worker,
    ),
  ]
}

/** What of an event has no column of its own. */
function dataOf(told: Told): string | null {
  switch (told.kind) {
    case 'progress':
      return JSON.stringify({ fraction: told.fraction, ...(told.message !== undefined && { message: told.message }) })
    case 'log':
      return null
    case 'metric':
      return JSON.stringify({ name: told.name, step: told.step, value: told.value })
    case 'artifact': {
      const { name, artifact, sizeBytes, mediaType } = told
      return JSON.stringify({ name, artifact, sizeBytes, ...(mediaType !== undefined && { mediaType }) })
    }
    default:
      return assertNever(told)
  }
}
