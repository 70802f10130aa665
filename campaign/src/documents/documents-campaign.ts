import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROCESS_DOCUMENT } from '@headrace/app-documents'
import type { Engine, Job, JobEvent, JobId, Store } from '@headrace/engine'
import { seededRandom } from '@headrace/engine/testing'
import {
  checkPages,
  compareEndings,
  countPages,
  type Ending,
  type Finding,
  type PageCounts,
} from './check-documents.ts'
import { DisturbedWorker } from './disturbed-worker.ts'
import { type MixedDocument, mixedDocuments } from './mixed-documents.ts'
import { type DocumentsPlace, openPlace } from './place.ts'

export type DocumentsOptions = { readonly documents: number; readonly kills: number; readonly seed: number }

export type DocumentsReport = DocumentsOptions &
  PageCounts & {
    readonly findings: readonly Finding[]
    readonly succeeded: number
    readonly failed: number
    readonly seconds: { readonly undisturbed: number; readonly disturbed: number }
  }

const AFTER_MS = 400
const PAGE = 1_000

/**
 * The same documents twice, each time by one worker on a new store: once in peace, once with the worker killed (SIGKILL)
 * again and again. Every document must end as it did in peace, and no page be read twice but those that a kill broke off.
 */
export async function runDocumentsCampaign(
  options: DocumentsOptions,
  tell: (message: string) => void,
): Promise<DocumentsReport> {
  const documents = await Array.fromAsync(mixedDocuments(options.documents, options.seed))
  tell(`${documents.length} documents are made`)
  const inPeace = await readAll(documents, { ...options, kills: 0 }, tell)
  const disturbed = await readAll(documents, options, tell)
  const failed = disturbed.endings.filter(({ result }) => !result.startsWith('{')).length
  return {
    ...options,
    findings: [
      ...compareEndings(disturbed.endings, inPeace.endings),
      ...checkPages(disturbed.jobs, disturbed.events),
      ...(disturbed.kills === options.kills
        ? []
        : [{ rule: 'kills', what: `the worker was killed ${disturbed.kills} times; give it more documents` }]),
    ],
    ...countPages(disturbed.jobs, disturbed.events),
    succeeded: disturbed.endings.length - failed,
    failed,
    seconds: { undisturbed: inPeace.seconds, disturbed: disturbed.seconds },
  }
}

async function readAll(
  documents: readonly MixedDocument[],
  { kills, seed }: DocumentsOptions,
  tell: (message: string) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-documents-campaign-'))
  try {
    await using place = await openPlace(folder)
    const start = performance.now()
    const ids = await submitAll(place, documents)
    const worker = await DisturbedWorker.start(folder)
    await killNowAndThen(place.store, worker, { documents: ids.length, kills, seed }, tell)
    for (const { id } of ids) await place.engine.wait(id)
    const seconds = Math.round((performance.now() - start) / 100) / 10
    tell(`all have ended after ${seconds} s and ${worker.kills} kills`)
    await worker.stop()
    const endings = await Promise.all(ids.map(({ id, name }) => endingOf(place.engine, id, name)))
    return { endings, ...(await historyOf(place.store)), kills: worker.kills, seconds }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function submitAll({ engine, put }: DocumentsPlace, documents: readonly MixedDocument[]) {
  // Small page images: what is at stake is that each page is read, not how it looks.
  const ids: { readonly id: JobId; readonly name: string }[] = []
  for (const { name, bytes } of documents) {
    const { id } = await engine.submit(PROCESS_DOCUMENT, {
      document: { artifact: await put(bytes) },
      name,
      imageDpi: 72,
    })
    ids.push({ id, name })
  }
  return ids
}

/** The kills lie evenly over the documents, each at a random moment after so many of them have ended. */
async function killNowAndThen(
  store: Store,
  worker: DisturbedWorker,
  { documents, kills, seed }: DocumentsOptions,
  tell: (message: string) => void,
): Promise<void> {
  const random = seededRandom(`kills ${seed}`)
  for (let kill = 0; kill < kills; kill++) {
    const after = Math.floor(((kill + 0.5) * documents) / (kills + 0.5))
    while ((await endedCount(store)) < after) await sleep(100)
    await sleep(random() * AFTER_MS)
    await worker.kill()
    tell(`kill ${kill + 1}, after ${after} documents`)
  }
}

async function endedCount(store: Store): Promise<number> {
  const { jobs } = await store.jobs(
    { tasks: [PROCESS_DOCUMENT], states: ['waiting', 'running'], rootsOnly: true },
    { limit: 10_000 },
  )
  const all = await store.jobs({ tasks: [PROCESS_DOCUMENT], rootsOnly: true }, { limit: 10_000 })
  return all.jobs.length - jobs.length
}

async function endingOf(engine: Engine, id: JobId, name: string): Promise<Ending> {
  const outcome = await engine.outcome(id)
  return { name, result: outcome?.state === 'succeeded' ? JSON.stringify(outcome.result) : `${outcome?.error?.code}` }
}

async function historyOf(
  store: Store,
): Promise<{ readonly jobs: readonly Job[]; readonly events: readonly JobEvent[] }> {
  const jobs: Job[] = []
  for (let before: string | undefined; ; ) {
    const page = await store.jobs({}, { limit: PAGE, ...(before !== undefined && { before }) })
    jobs.push(...page.jobs)
    if (page.next === undefined) break
    before = page.next
  }
  const events: JobEvent[] = []
  for (let after = 0; ; ) {
    const some = await store.events({ after, limit: PAGE })
    events.push(...some)
    if (some.length < PAGE) return { jobs, events }
    after = some.at(-1)?.cursor ?? after
  }
}
