import type { HarmCounts } from './chaos.ts'
import type { Finding } from './check-round.ts'
import type { CampaignOptions } from './options.ts'
import type { Place } from './place/place.ts'
import { PostgresPlace } from './place/postgres-place.ts'
import { SqlitePlace } from './place/sqlite-place.ts'
import { type RoundReport, runRound } from './round.ts'

export type CampaignReport = {
  readonly store: string
  readonly seed: number
  readonly minutes: number
  readonly rounds: number
  readonly counts: Readonly<Record<string, number>>
  readonly harms: HarmCounts
  readonly skipped: readonly string[]
  readonly findings: readonly (Finding & { readonly seed: string; readonly folder?: string })[]
}

/** Each round has a store of its own, so that what is found is found soon, and lies in a small history. */
const ROUND_MS = 40_000
const HARM_EVERY_MS = 900

/** Rounds until the time is up; the last one is finished. @param heard told of each round */
export async function runCampaign(
  options: CampaignOptions,
  heard: (round: RoundReport, number: number) => void = () => {},
): Promise<CampaignReport> {
  const startedAt = performance.now()
  const endAt = startedAt + options.minutes * 60_000
  const rounds: RoundReport[] = []
  do {
    const chaosMs = Math.min(ROUND_MS, Math.max(1_000, endAt - performance.now()))
    const seed = `${options.seed}/${rounds.length}`
    const makePlace = (folder: string) => placeOf(options.store, folder)
    const round = await runRound({ seed, chaosMs, harmEveryMs: HARM_EVERY_MS, makePlace })
    rounds.push(round)
    heard(round, rounds.length)
  } while (performance.now() < endAt)
  const minutes = Math.round((performance.now() - startedAt) / 6_000) / 10
  return { store: options.store, seed: options.seed, minutes, rounds: rounds.length, ...summed(rounds) }
}

async function placeOf(store: string, folder: string): Promise<Place> {
  if (store === 'sqlite') return new SqlitePlace(folder)
  return store === 'postgres' ? PostgresPlace.start(folder) : PostgresPlace.on(store)
}

function summed(rounds: readonly RoundReport[]) {
  return {
    counts: sum(rounds.map(({ counts }) => counts)),
    harms: sum(rounds.map(({ harms }) => harms)),
    skipped: [...new Set(rounds.flatMap(({ skipped }) => skipped))],
    findings: rounds.flatMap(({ findings, seed, folder }) =>
      findings.map((finding) => ({ ...finding, seed, ...(folder !== undefined && { folder }) })),
    ),
  }
}

function sum(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const record of records)
    for (const [name, value] of Object.entries(record)) total[name] = (total[name] ?? 0) + value
  return total
}
