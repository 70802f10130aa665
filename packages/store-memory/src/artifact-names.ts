import { ARTIFACT_NOTES, type ArtifactNames, artifactNamesIn, type EventKind, unreadPayloadOf } from '@headrace/engine'
import type { Context, MemoryPlace, StoredJob } from './place.ts'

/** The artifacts that are named are not to be removed. */
export function deleteNotes({ place }: Context, names: readonly string[]): void {
  for (const name of names) place.settings.get(ARTIFACT_NOTES)?.delete(name)
}

/** The events that name what an attempt has told. */
const TOLD: ReadonlySet<EventKind> = new Set(['artifact', 'log', 'progress'])

/** A page: of the jobs, then of the events, then everything else. See `Store.artifactNames`. */
export function artifactNames(
  { place }: Context,
  { limit, after = 'jobs.0' }: { readonly limit: number; readonly after?: string },
): ArtifactNames {
  const [part, from] = after.split('.') as [string, string | undefined]
  const [begin, end] = [Number(from), Number(from) + limit]
  const page = (texts: readonly (string | undefined)[], next?: string): ArtifactNames => {
    const [names, payloads] = [texts.flatMap(artifactNamesIn), texts.flatMap(unreadPayloadOf)]
    return { names, payloads, ...(next !== undefined && { next }) }
  }
  if (part === 'jobs') {
    const texts = place.jobs.slice(begin, end).flatMap((job) => (job === undefined ? [] : textsOf(job)))
    return page(texts, end < place.jobs.length ? `jobs.${end}` : 'events.0')
  }
  if (part === 'events') {
    const told = place.events.slice(begin, end).filter((event) => event !== undefined && TOLD.has(event.kind))
    const texts = told.map((event) => JSON.stringify(event?.data))
    return page(texts, end < place.events.length ? `events.${end}` : 'rest')
  }
  return page(otherTexts(place))
}

function textsOf({ job, end, steps, signals, progress }: StoredJob): readonly (string | undefined)[] {
  return [
    job.input,
    ...(job.tags ?? []),
    end?.result,
    ...[...steps.values()].map(({ recorded }) => recorded.value),
    ...signals.map(({ value }) => value),
    progress?.message,
  ]
}

function otherTexts({ schedules, settings }: MemoryPlace): readonly string[] {
  return [
    ...[...schedules.values()].map(({ body }) => body),
    ...[...settings.values()].flatMap((namespace) => [...namespace.values()]),
  ]
}
