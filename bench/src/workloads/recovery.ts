import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { benchFolder } from '../machine/about.ts'
import type { Peer } from '../peer.ts'
import { round, type Settings, type Workload } from './workload.ts'

const JOBS = 20
/** So long that they are not over before the second worker is at hand, however busy the machine is. */
const JOB_MS_MIN = 3_000
const JOB_MS_PER_START = 5
const LOOK_MS = 5
const STARTED_WITHIN_MS = 20_000

type Start = { readonly job: number; readonly pid: number; readonly at: number }

export const recovery: Workload = {
  figure: 'seconds',
  moreIsBetter: false,
  what: ({ capSeconds }) =>
    `kill -9 of a worker with ${JOBS} running jobs of ${JOB_MS_MIN / 1_000} s, another worker at hand, default settings: seconds until all of them run there (at most ${capSeconds} s)`,
  async measure(peer, settings) {
    const folder = benchFolder('recovery')
    const file = join(folder, 'starts')
    writeFileSync(file, '')
    process.env.BENCH_STARTS = file
    try {
      return { figures: await killAndWait(peer, file, settings) }
    } finally {
      delete process.env.BENCH_STARTS
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function killAndWait(peer: Peer, file: string, { capSeconds }: Settings) {
  const startingAt = performance.now()
  const first = await peer.startWorker()
  const jobMs = Math.max(JOB_MS_MIN, Math.round(JOB_MS_PER_START * (performance.now() - startingAt)))
  await peer.enqueueSlow(JOBS, jobMs)
  const before = await until(() => byJob(starts(file)), STARTED_WITHIN_MS)
  if (before === undefined) throw new Error(`not all of the ${JOBS} jobs started within ${STARTED_WITHIN_MS} ms`)
  const startedAt = Math.min(...[...before.values()].map(({ at }) => at))
  const second = await peer.startWorker()
  try {
    const killedAt = Date.now()
    if (killedAt - startedAt > jobMs) throw new Error('the second worker took so long to start that the jobs were over')
    await first.kill()
    const isElsewhere = ({ at }: Start) => at > killedAt
    const after = await until(() => byJob(starts(file).filter(isElsewhere)), capSeconds * 1_000)
    const resumed = after ?? byStarted(starts(file).filter(isElsewhere))
    const last = Math.max(...[...resumed.values()].map(({ at }) => at), killedAt)
    return {
      // Given up: it would have taken longer.
      seconds: after === undefined ? capSeconds : round((last - killedAt) / 1_000),
      jobs: JOBS,
      resumed: resumed.size,
    }
  } finally {
    await second.kill()
  }
}

function starts(file: string): Start[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => {
    const [job, pid, at] = line.split(' ').map(Number)
    return { job: job ?? -1, pid: pid ?? -1, at: at ?? -1 }
  })
}

function byStarted(all: readonly Start[]): Map<number, Start> {
  const first = new Map<number, Start>()
  for (const start of all) if (!first.has(start.job)) first.set(start.job, start)
  return first
}

function byJob(all: readonly Start[]): Map<number, Start> | undefined {
  const first = byStarted(all)
  return first.size === JOBS ? first : undefined
}

async function until<T>(look: () => T | undefined, withinMs: number): Promise<T | undefined> {
  const end = performance.now() + withinMs
  for (;;) {
    const found = look()
    if (found !== undefined || performance.now() > end) return found
    await sleep(LOOK_MS)
  }
}
