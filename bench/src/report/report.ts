import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ReportOptions } from '../options.ts'
import { isOurs } from '../peer.ts'
import { postgresServer, postgresVersion, stopPostgresServer } from '../postgres/postgres-server.ts'
import { systemKinds } from '../run.ts'
import { runCell } from './cell-process.ts'
import { measureAll } from './measure.ts'
import { type Measured, together } from './measured.ts'
import { pageOf } from './page.ts'
import { measurementsOf } from './plan.ts'

const DOCS = join(import.meta.dirname, '../../../docs')

/** Measures both stores and the peers, and writes the figures of `docs/performance.md` with their pictures, or prints them. */
export async function makeReport(options: ReportOptions): Promise<void> {
  const measured = options.from.length > 0 ? together(options.from.map(readMeasured)) : await measure(options)
  if (options.json) console.log(JSON.stringify(measured))
  else writePage(join(DOCS, 'performance.md'), measured)
}

async function measure({ only, isQuick, runs, peers }: ReportOptions): Promise<Measured> {
  const isAsked = (name: string) => peers === 'all' || peers.some((peer) => name.startsWith(peer))
  try {
    // One server for all that need one, their processes included.
    if ((await postgresVersion()) !== undefined) process.env.BENCH_POSTGRES = (await postgresServer()).url
    return await measureAll({
      kinds: systemKinds.filter((kind) => isOurs(kind) || isAsked(kind.name)),
      measurements: measurementsOf({ only, isQuick }),
      runs,
      measureCell: runCell,
      tell: (line) => console.error(line),
    })
  } finally {
    await stopPostgresServer()
  }
}

function readMeasured(file: string): Measured {
  return JSON.parse(readFileSync(file, 'utf8')) as Measured
}

function writePage(file: string, measured: Measured): void {
  const { page, pictures } = pageOf(readFileSync(file, 'utf8'), measured)
  const images = join(dirname(file), 'images')
  mkdirSync(images, { recursive: true })
  for (const [name, svg] of Object.entries(pictures)) writeFileSync(join(images, name), svg)
  writeFileSync(file, page)
}
