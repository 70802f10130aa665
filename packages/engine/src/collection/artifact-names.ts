import type { Commit, NewJob, NewStep, Told } from '../store/store.ts'

const SIGN = 'sha256:'
const NAME = /sha256:[0-9a-f]{64}/g

/** Every artifact that a text names, wherever in it: an id is told from other text by its form alone. */
export function artifactNamesIn(text: string | null | undefined): readonly string[] {
  // Most texts name none, and are read with every job.
  if (text === null || text === undefined || !text.includes(SIGN)) return []
  return text.match(NAME) ?? []
}

/** As an earlier release wrote it: without what it names. In a text of several it is the first line. */
const UNREAD_PAYLOAD = /^@(sha256:[0-9a-f]{64}):\d+$/m

/** The artifact of a payload that does not say what it names, so that it has to be read. */
export function unreadPayloadOf(text: string | null | undefined): readonly string[] {
  const [, payload] = (text?.startsWith('@') ? UNREAD_PAYLOAD.exec(text) : undefined) ?? []
  return payload === undefined ? [] : [payload]
}

/** What new jobs name. */
export function namesOfJobs(jobs: readonly NewJob[]): readonly string[] {
  return distinct(jobs.flatMap(namesOfJob))
}

/** What a worker's commit may store the name of. What a recorded error says is no name: nobody looks it up there. */
export function namesOfCommit({
  settle,
  advance,
  tell,
}: Pick<Commit, 'settle' | 'advance' | 'tell'>): readonly string[] {
  return distinct([
    ...settle.flatMap((one) => (one.outcome === 'succeeded' ? artifactNamesIn(one.result) : [])),
    ...advance.flatMap(({ steps }) => steps.flatMap(namesOfStep)),
    ...tell.flatMap(namesOfTold),
  ])
}

function namesOfJob({ input, tags }: NewJob): readonly string[] {
  return [...artifactNamesIn(input), ...(tags ?? []).flatMap(artifactNamesIn)]
}

function namesOfStep({ value, children }: NewStep): readonly string[] {
  return [...artifactNamesIn(value), ...(children ?? []).flatMap(namesOfJob)]
}

function namesOfTold(told: Told): readonly string[] {
  switch (told.kind) {
    case 'artifact':
      return artifactNamesIn(told.artifact)
    case 'progress':
    case 'log':
      return artifactNamesIn(told.message)
    case 'metric':
      return []
    default:
      return told satisfies never
  }
}

function distinct(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)]
}
