import type { ArtifactAmount, Collected } from '@headrace/wire'
import { megabytes } from '../doctor/finding.ts'

export const WAITING =
  'It waits for a transaction that was open in the database when it began; pg_stat_activity shows which.'

/** What a pass over the artifacts has come to. @param verb what happened to those whose time has passed */
export function collectedLines({ removed, unnamed, sharedWith }: Collected, verb: string): readonly string[] {
  if (sharedWith !== undefined) {
    const users = sharedWith.map((user) => `users/${user}`).join(', ')
    return [
      `No artifact ${verb}: other stores use the same place, and what they name is not known here (${users}).`,
      'Give each store a place of its own; or, where that store is no more, remove its file there.',
    ]
  }
  const lines = [`${amountText(removed)} ${verb}.`]
  if (unnamed.artifacts > 0) lines.push(`${amountText(unnamed)} more: named by nothing, and not for long enough.`)
  return lines
}

function amountText({ artifacts, bytes }: ArtifactAmount): string {
  return `${artifacts} ${artifacts === 1 ? 'artifact' : 'artifacts'} (${megabytes(bytes)})`
}
