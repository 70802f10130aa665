import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createEngine, type Engine, type JobFilter, type Store } from '@headrace/engine'
import { readHistory, type StoreHistory, seededRandom } from '@headrace/engine/testing'
import { Chaos, type HarmCounts } from './chaos.ts'
import { checkRound, type Finding, givenUpRoots } from './check-round.ts'
import { type Note, openLedger, readLedger } from './ledger.ts'
import { Pauser } from './pauses.ts'
import { openStore } from './place/open-store.ts'
import type { Place } from './place/place.ts'
import { Child } from './process/child.ts'
import { approve, untilAnswered } from './process/submitter.ts'
import { campaignTasks } from './workload/tasks.ts'

export type RoundOptions = {
  readonly seed: string
  readonly chaosMs: number
  /** Between two harms, on average. */
  readonly harmEveryMs: number
  makePlace(folder: string): Promise<Place>
}

export type RoundReport = {
  readonly seed: string
  readonly findings: readonly Finding[]
  readonly harms: HarmCounts
  readonly skipped: readonly string[]
  readonly counts: {
    readonly accepted: number
    readonly jobs: number
    readonly attempts: number
    readonly lapses: number
    readonly effects: number
    readonly events: number
    /** Jobs with a limit, those of them that another one replaced, and jobs that the result cache answered. */
    readonly limited: number
    readonly replaced: number
    readonly answered: number
    /** Trees in which a job failed for it lost five workers in a row. */
    readonly givenUp: number
  }
  /** Where its history and its notes are, when something was found. */
  readonly folder?: string
}

const WORKERS = 3
const SUBMITTERS = 2
const LEASE_MS = 3_000
const FINISH_MS = 60_000
/** When nothing goes wrong any more, everything must have ended within this. */
const CALM_MS = 120_000

/** Real processes on one new store: harmed for a while, then left alone until all has ended, then checked. */
export async function runRound(options: RoundOptions): Promise<RoundReport> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-campaign-'))
  const ledger = join(folder, 'ledger')
  mkdirSync(ledger)
  const place = await options.makePlace(folder)
  let isKept = false
  try {
    // Made before the processes come, so that none of them is harmed while it makes the tables.
    await (await openStore(place.store))[Symbol.asyncDispose]()
    const { workers, submitters } = castOf(options, place, folder)
    const chaos = new Chaos({ random: seededRandom(options.seed), place, children: [...workers, ...submitters] })
    const pauser = new Pauser(place.store, seededRandom(`${options.seed} pauses`))
    chaos.start()
    pauser.start()
    await chaos.run(options.chaosMs, options.harmEveryMs)
    const pauses = await pauser.end()
    const late = await finish(submitters, 'submitter')
    const { history, unended } = await afterwards(place, ledger, () => finish(workers, 'worker'))
    const notes = readLedger(ledger)
    const findings = [...late, ...unended, ...checkRound(history, notes, pauses)]
    isKept = findings.length > 0
    if (isKept) writeFileSync(join(folder, 'history.json'), JSON.stringify(history))
    const effects = notes.filter(({ kind }) => kind === 'effect').length
    const accepted = notes.filter(({ kind }) => kind === 'accepted').length
    const harms = { ...chaos.counts, 'queue paused': pauses.length }
    const report = { seed: options.seed, findings, harms, skipped: place.skipped }
    return { ...report, counts: { accepted, effects, ...countsOf(history) }, ...(isKept && { folder }) }
  } finally {
    await place[Symbol.asyncDispose]()
    if (!isKept) rmSync(folder, { recursive: true, force: true })
  }
}

function castOf({ seed }: RoundOptions, { store }: Place, folder: string): { workers: Child[]; submitters: Child[] } {
  const make = (kind: 'worker' | 'submitter', count: number) =>
    Array.from({ length: count }, (_, number) => {
      const ledger = join(folder, 'ledger')
      return new Child({ kind, name: `${kind}-${number}`, store, ledger, seed, leaseMs: LEASE_MS }, folder)
    })
  return { workers: make('worker', WORKERS), submitters: make('submitter', SUBMITTERS) }
}

async function finish(children: readonly Child[], what: string): Promise<Finding[]> {
  const inTime = await Promise.all(children.map((child) => child.finish(FINISH_MS)))
  if (inTime.every((is) => is)) return []
  return [{ rule: 'nothing-lost', what: `a ${what} did not come to its end within ${FINISH_MS} ms` }]
}

/** Waits for the end of all jobs, then for that of the workers, and reads what the store says. */
async function afterwards(
  place: Place,
  ledger: string,
  stopWorkers: () => Promise<Finding[]>,
): Promise<{ readonly history: StoreHistory; readonly unended: readonly Finding[] }> {
  await using store = await untilAnswered(() => openStore(place.store))
  const note = openLedger(ledger, 'campaign')
  const engine = createEngine({ store, tasks: campaignTasks(note) })
  await approveRest(engine, readLedger(ledger), note)
  const left = await untilAllEnded(store)
  const late = await stopWorkers()
  const what = `${left} jobs had not ended ${CALM_MS} ms after the last harm`
  const unended: Finding[] = left === 0 ? late : [...late, { rule: 'nothing-lost', what }]
  return { history: await readHistory(store), unended }
}

/**
 * Approves what still waits for that. The store is asked, since whoever submitted may have been killed before it noted so;
 * what was noted as approved is left alone, so that a lost signal is found.
 */
async function approveRest(engine: Engine, notes: readonly Note[], note: (line: Note) => void): Promise<void> {
  const signalled = new Set(notes.flatMap((line) => (line.kind === 'signalled' ? [line.id] : [])))
  const { store } = engine
  const living = { tasks: ['approval'], states: ['waiting', 'running'] } satisfies JobFilter
  const { jobs } = await untilAnswered(() => store.jobs(living, { limit: 1_000 }))
  for (const { id } of jobs.filter((job) => !signalled.has(job.id))) {
    const { value } = JSON.parse((await untilAnswered(() => store.input(id))) ?? '{}') as { readonly value: number }
    await approve(engine, id, value, note)
  }
}

/** @returns how many have not */
async function untilAllEnded(store: Store): Promise<number> {
  const end = performance.now() + CALM_MS
  for (;;) {
    const { jobs } = await untilAnswered(() => store.jobs({ states: ['waiting', 'running'] }, { limit: 1_000 }))
    if (jobs.length === 0 || performance.now() > end) return jobs.length
    await sleep(500)
  }
}

function countsOf(history: StoreHistory) {
  const count = (kind: string) => history.events.filter((event) => event.kind === kind).length
  return {
    jobs: history.jobs.length,
    attempts: count('started'),
    lapses: count('lapsed'),
    events: history.events.length,
    limited: history.jobs.filter(({ limit }) => limit !== undefined).length,
    replaced: history.jobs.filter((job) => job.task === 'newest' && job.state === 'cancelled').length,
    answered: history.jobs.filter(({ cache }) => cache?.hit === true).length,
    givenUp: givenUpRoots(history).size,
  }
}
