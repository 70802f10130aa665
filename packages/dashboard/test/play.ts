// Serves dist/ with made-up jobs that move, to look at the pages without a server: `node bin/node.cjs packages/dashboard/test/play.ts [port]`.
import { join } from 'node:path'
import {
  FAKE_ERROR,
  fakeFanOut,
  fakeHistory,
  fakeJob,
  idOf,
  inState,
  iso,
  LAND_RESULT,
  SAMPLE_AREA,
} from './fake-jobs.ts'
import { startFakeServer } from './fake-server.ts'

const shiftMs = Date.now() - 900_000 - Date.UTC(2030, 0, 1, 12) - 2_400_000
const now = (at: string) => iso(Date.parse(at) + shiftMs)
const shifted = (job: ReturnType<typeof fakeJob>) => ({
  ...job,
  created: now(job.created),
  updated: now(job.updated),
  ...(job.started ? { started: now(job.started) } : {}),
  ...(job.finished ? { finished: now(job.finished) } : {}),
})

const jobs = [...fakeHistory(2400), ...fakeFanOut(3000, 5000), ...fakeFanOut(20_000, 9)].map(shifted)
const land = shifted(
  fakeJob(2990, { processID: 'watershed.analyze-land', kind: 'workflow', queue: 'watershed', tags: ['demo'] }),
)
const count = shifted(
  fakeJob(2991, { processID: 'geo.land-cover', parentId: land.jobID, rootId: land.jobID, step: 0, queue: 'geo' }),
)
const training = shifted(
  inState(fakeJob(2992, { processID: 'training.fit', queue: 'training', attempt: 2 }), 'running'),
)
const failed = shifted(
  inState(
    fakeJob(2993, { processID: 'watershed.analyze-land', kind: 'workflow', queue: 'watershed', attempt: 3 }),
    'failed',
  ),
)
jobs.push(land, count, training, {
  ...failed,
  error: { ...FAKE_ERROR, origin: { jobId: count.jobID, task: 'geo.land-cover' } },
})

const fake = await startFakeServer({
  dist: join(import.meta.dirname, '../dist'),
  jobs,
  port: Number(process.argv[2] ?? 4173),
})
console.log(fake.url, 'land', land.jobID, 'fan', idOf(3000), 'training', training.jobID, 'failed', failed.jobID)
fake.inputs.set(land.jobID, { area: SAMPLE_AREA, layer: 'land-2019' })
fake.inputs.set(failed.jobID, { area: SAMPLE_AREA, layer: 'land-2019' })
fake.results.set(land.jobID, LAND_RESULT)
fake.artifacts.set(land.jobID, [
  {
    name: 'land-cover.tif',
    id: 'sha256:1',
    sizeBytes: 1_840_221,
    mediaType: 'image/tiff',
    at: land.created,
    href: '/artifacts/1',
  },
])
const ms = Date.parse(land.started ?? land.created)
fake.steps.set(land.jobID, [
  {
    step: 0,
    kind: 'call',
    name: 'geo.land-cover',
    recordedAt: iso(ms + 90),
    children: { total: 1, ended: 1, failed: 0, firstId: count.jobID },
  },
  { step: 1, kind: 'step', name: 'survey', recordedAt: iso(ms + 4100), children: { total: 0, ended: 0, failed: 0 } },
])
const attempt = { worker: '0199aaaa-0000-7000-8000-00000000cafe' }
fake.attempts.set(land.jobID, [
  { ...attempt, attempt: 1, startedAt: iso(ms), endedAt: iso(ms + 4200), outcome: 'succeeded' },
])
fake.attempts.set(failed.jobID, [
  { ...attempt, attempt: 1, startedAt: iso(ms), endedAt: iso(ms + 900), outcome: 'lapsed' },
  { ...attempt, attempt: 2, startedAt: iso(ms + 1200), endedAt: iso(ms + 2100), outcome: 'retried', error: FAKE_ERROR },
  { ...attempt, attempt: 3, startedAt: iso(ms + 3000), endedAt: iso(ms + 4200), outcome: 'failed', error: FAKE_ERROR },
])
const log = (jobId: string, level: string, message: string, at: number) =>
  fake.tell({ jobId, kind: 'log', attempt: 1, at: iso(at), data: { level, message } })
log(land.jobID, 'info', 'The area has 1 polygon of 24.1 km².', ms + 40)
for (let row = 0; row < 60; row++)
  log(
    count.jobID,
    row % 17 === 3 ? 'warn' : 'debug',
    `row ${row}: ${(row * 37) % 211} tiles, ${(row * 7919) % 90000} cells`,
    ms + 100 + row * 60,
  )
log(failed.jobID, 'error', FAKE_ERROR.message, ms + 4100)

let epoch = 0
setInterval(() => {
  epoch++
  const at = iso(Date.now())
  fake.tell({
    jobId: training.jobID,
    kind: 'metric',
    attempt: 2,
    at,
    data: { name: 'loss', step: epoch, value: 1 / Math.sqrt(epoch) + Math.sin(epoch) / 40 },
  })
  fake.tell({
    jobId: training.jobID,
    kind: 'metric',
    attempt: 2,
    at,
    data: { name: 'mean IoU', step: epoch, value: 1 - 0.8 / Math.sqrt(epoch) },
  })
  fake.tell({
    jobId: training.jobID,
    kind: 'log',
    attempt: 2,
    at,
    data: { level: 'info', message: `epoch ${epoch}: loss ${(1 / Math.sqrt(epoch)).toFixed(4)}` },
  })
  fake.tell(
    {
      jobId: training.jobID,
      kind: 'progress',
      attempt: 2,
      at,
      data: { fraction: Math.min(0.99, epoch / 400), message: `epoch ${epoch} of 400` },
    },
    { progressFraction: Math.min(0.99, epoch / 400) },
  )
}, 300)
