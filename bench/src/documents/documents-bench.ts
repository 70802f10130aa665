import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { documentsApp, findTessdata, PROCESS_DOCUMENT } from '@headrace/app-documents'
import {
  type KnownPage,
  knownPages,
  tesseractVersion,
  tesseractWords,
  wordAccuracy,
} from '@headrace/app-documents/testing'
import { openLocalArtifacts, parseArtifactId } from '@headrace/artifacts'
import { createEngine } from '@headrace/engine'
import { openSqliteStore } from '@headrace/store-sqlite'
import type { DocumentContent, DocumentSummary } from '@headrace/wire'
import { aboutMachine, type Machine } from '../machine/about.ts'
import { UsageError } from '../options.ts'

const TICKS_PER_SECOND = 100

type Kind = KnownPage['kind']

/** What is made of a page: its text and words alone, or a searchable PDF besides, and with the app a page image. */
type Makes = 'text' | 'text and PDF'

export type Reading = {
  readonly name: string
  readonly makes: Makes
  /** Of the known words of each kind of page, the share that was read. */
  readonly wordAccuracy: Readonly<Record<Kind, number>>
  readonly cpuSecondsPerPage: Readonly<Record<Kind, number>>
  readonly pagesPerSecondPerCore: number
  readonly pagesPerSecond: number
}

export type DocumentsReport = {
  readonly bench: 'documents'
  readonly what: string
  readonly pages: number
  readonly headrace: readonly Reading[]
  readonly peers: readonly Reading[]
  /** Of those that make the same, how many times as many pages a second and core Headrace reads. */
  readonly comparisons: readonly {
    readonly headrace: string
    readonly peer: string
    readonly makes: Makes
    readonly headraceIsTimesBetter: number
  }[]
  readonly notMeasured: readonly { readonly name: string; readonly why: string }[]
  readonly machine: Machine
  readonly at: string
}

/** Undefined unless it is this bench that is asked for. @throws {UsageError} */
export function parseDocumentsOptions(
  args: readonly string[],
): { readonly runs: number; readonly json: boolean } | undefined {
  if (args[0] !== 'documents') return undefined
  const options = { runs: { type: 'string', default: '2' }, json: { type: 'boolean', default: false } } as const
  const { values } = parseArgs({ args: args.slice(1), options, strict: false })
  const runs = Number(values.runs)
  if (Number.isInteger(runs) && runs >= 1 && runs <= 100) return { runs, json: values.json === true }
  throw new UsageError(`--runs takes a whole number from 1 to 100, not ${values.runs}.`)
}

export function documentsText({ what, headrace, peers, comparisons, notMeasured, machine }: DocumentsReport): string {
  const { cpu, cores, system, node } = machine
  const rows = [...headrace, ...peers].map((reading) => {
    const figures = KINDS.map(
      (kind) =>
        `${kind} ${(100 * reading.wordAccuracy[kind]).toFixed(2)} %, ${reading.cpuSecondsPerPage[kind]} s of CPU a page`,
    )
    return `  ${reading.name}, ${reading.makes}  ${reading.pagesPerSecondPerCore} pages a second and core; ${figures.join('; ')}`
  })
  const times = comparisons.map(
    (one) => `  ${one.headrace} beside ${one.peer}, ${one.makes}: ${one.headraceIsTimesBetter} times its speed`,
  )
  const missing = notMeasured.map(({ name, why }) => `  ${name} was not measured: ${why}`)
  return [
    `documents: ${what}`,
    `${cpu}, ${cores} cores, ${system}, Node ${node}`,
    '',
    ...rows,
    '',
    ...times,
    ...missing,
  ].join('\n')
}

const MAKES = ['text', 'text and PDF'] as const satisfies readonly Makes[]
const KINDS = ['plain', 'rotated', 'noisy'] as const satisfies readonly Kind[]

type Reader = AsyncDisposable & {
  readonly name: string
  readonly makes: Makes
  /** CPU seconds that it has used so far. */
  cpuSeconds(): number
  read(page: KnownPage, path: string): Promise<readonly string[]>
}

/**
 * Pages whose words are known, read by the whole documents app (upload to result, with page images, a searchable PDF and all
 * that belongs to it) as it reads on this machine, and with the data that come by npm alone; one at a time, and by
 * Debian's command, by turns.
 */
export async function runDocumentsBench({ runs }: { readonly runs: number }): Promise<DocumentsReport> {
  const folder = await mkdtemp(join(process.env.BENCH_DIR ?? tmpdir(), 'headrace-bench-documents-'))
  const pages = await Array.fromAsync(knownPages())
  const version = await tesseractVersion()
  const machineData = findTessdata(undefined)
  const readers: Reader[] = []
  try {
    for (const makes of MAKES) {
      readers.push(await openHeadrace({ name: 'Headrace', makes }, join(folder, `as it is ${makes}`), machineData))
      if (machineData.length > 0) {
        const who = { name: 'Headrace with the data that come by npm', makes }
        readers.push(await openHeadrace(who, join(folder, `npm ${makes}`), []))
      }
      if (version !== undefined)
        readers.push(tesseractReader({ name: `tesseract ${version}`, makes }, join(folder, 'tesseract')))
    }
    const all = await measure(readers, pages, { folder, runs })
    const [headrace, peers] = [all.filter(isOurs), all.filter((reading) => !isOurs(reading))]
    return {
      bench: 'documents',
      what: `${pages.length} pages of A4 at 300 dpi, ${runs} times each, one at a time, by the whole app from upload to result`,
      pages: pages.length,
      headrace,
      peers,
      comparisons: headrace.flatMap((ours) => peers.flatMap((peer) => comparisonOf(ours, peer))),
      notMeasured: version === undefined ? [{ name: 'tesseract', why: 'apt install tesseract-ocr' }] : [],
      machine: aboutMachine(),
      at: new Date().toISOString(),
    }
  } finally {
    for (const reader of readers) await reader[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
}

function isOurs({ name }: Reading): boolean {
  return name.startsWith('Headrace')
}

function comparisonOf(ours: Reading, peer: Reading): DocumentsReport['comparisons'] {
  if (ours.makes !== peer.makes) return []
  const headraceIsTimesBetter = round(ours.pagesPerSecondPerCore / peer.pagesPerSecondPerCore, 2)
  return [{ headrace: ours.name, peer: peer.name, makes: ours.makes, headraceIsTimesBetter }]
}

async function measure(
  readers: readonly Reader[],
  pages: readonly KnownPage[],
  { folder, runs }: { readonly folder: string; readonly runs: number },
): Promise<Reading[]> {
  const paths = new Map<KnownPage, string>()
  for (const [index, page] of pages.entries()) {
    const path = join(folder, `${index}.png`)
    await writeFile(path, page.png)
    paths.set(page, path)
  }
  const tallies = readers.map(() => new Tally())
  for (let run = 0; run < runs; run++) {
    for (const page of pages) {
      for (const [index, reader] of readers.entries()) {
        // Each run another document, or the app would know its page already.
        const fresh = { ...page, png: withComment(page.png, `${run} ${reader.name} ${reader.makes}`) }
        const [cpu, wall] = [reader.cpuSeconds(), performance.now()]
        const words = await reader.read(fresh, paths.get(page) ?? '')
        const spent = { cpuSeconds: reader.cpuSeconds() - cpu, seconds: (performance.now() - wall) / 1_000 }
        tallies[index]?.add(page, wordAccuracy(page.text, words), spent)
      }
    }
  }
  return readers.map(({ name, makes }, index) => ({ name, makes, ...(tallies[index] as Tally).figures() })) // one for each
}

class Tally {
  readonly #pages: { kind: Kind; accuracy: number; cpuSeconds: number; seconds: number }[] = []

  add({ kind }: KnownPage, accuracy: number, spent: { cpuSeconds: number; seconds: number }): void {
    this.#pages.push({ kind, accuracy, ...spent })
  }

  figures(): Omit<Reading, 'name' | 'makes'> {
    const of = (figure: 'accuracy' | 'cpuSeconds', digits: number) => ({
      plain: round(mean(this.#pages.filter(({ kind }) => kind === 'plain').map((page) => page[figure])), digits),
      rotated: round(mean(this.#pages.filter(({ kind }) => kind === 'rotated').map((page) => page[figure])), digits),
      noisy: round(mean(this.#pages.filter(({ kind }) => kind === 'noisy').map((page) => page[figure])), digits),
    })
    const rate = (figure: 'cpuSeconds' | 'seconds') => round(1 / mean(this.#pages.map((page) => page[figure])), 3)
    return {
      wordAccuracy: of('accuracy', 4),
      cpuSecondsPerPage: of('cpuSeconds', 2),
      pagesPerSecondPerCore: rate('cpuSeconds'),
      pagesPerSecond: rate('seconds'),
    }
  }
}

/** So many pages are read before anything is measured: a service is warm, and its code is compiled. */
const WARM_PAGES = 6

/** The app on a store of its own. */
async function openHeadrace(
  { name, makes }: Pick<Reader, 'name' | 'makes'>,
  folder: string,
  tessdataDirs: readonly string[],
): Promise<Reader> {
  const artifacts = await openLocalArtifacts(join(folder, 'artifacts'))
  const store = await openSqliteStore(join(folder, 'jobs.db'))
  const { tasks } = documentsApp({ artifacts, cacheDir: join(folder, 'cache'), tessdataDirs })
  const engine = createEngine({ store, artifacts, tasks })
  const worker = await engine.startWorker({ queues: { documents: 1 } })
  const outputs = makes === 'text' ? [] : ['images', 'pdf']
  const reader: Reader = {
    name,
    makes,
    cpuSeconds: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
    async read({ png }) {
      const { id: artifact } = await artifacts.put(png)
      const { id } = await engine.submit(PROCESS_DOCUMENT, { document: { artifact }, name: 'page.png', outputs })
      const { files } = (await engine.result(id)) as unknown as DocumentSummary
      const json = await artifacts.readBytes(parseArtifactId(files.json?.artifact))
      const { pages } = JSON.parse(Buffer.from(json).toString()) as DocumentContent // as the app writes it
      return pages.flatMap((page) => page.words.map(({ text }) => text))
    },
    async [Symbol.asyncDispose]() {
      await worker.stop({ graceMs: 0 })
      await store[Symbol.asyncDispose]()
    },
  }
  for await (const page of knownPages((index) => index < WARM_PAGES)) await reader.read(page, '')
  return reader
}

function tesseractReader({ name, makes }: Pick<Reader, 'name' | 'makes'>, pdfBase: string): Reader {
  const outputs = makes === 'text' ? {} : { pdfBase }
  return {
    name,
    makes,
    cpuSeconds: childCpuSeconds,
    read: (_, path) => tesseractWords(path, outputs),
    async [Symbol.asyncDispose]() {},
  }
}

/** Of all children of this process that have ended. */
function childCpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

/** The same picture, as another file: what follows a PNG's end is not looked at. */
function withComment(png: Buffer, comment: string): Buffer {
  return Buffer.concat([png, Buffer.from(comment)])
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
