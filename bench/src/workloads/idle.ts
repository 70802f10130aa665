import { setTimeout as sleep } from 'node:timers/promises'
import { treeRssMb } from '../machine/processes.ts'
import { round, timed, type Workload, withWorker } from './workload.ts'

const SETTLE_MS = 3_000
const WATCH_MS = 10_000

export const idle: Workload = {
  figure: 'rssMb',
  moreIsBetter: false,
  what: () => `a worker with nothing to do, over ${WATCH_MS / 1_000} s: its memory, its CPU, and its server's CPU`,
  async measure(peer) {
    // As after any restart but the first, which compiles the code that later ones find.
    await withWorker(peer, async () => {})
    return withWorker(peer, async (worker) => {
      await sleep(SETTLE_MS)
      const { seconds, load } = await timed(peer, worker, () => sleep(WATCH_MS))
      const percent = (part: string) => round(((load?.cpuSeconds[part] ?? Number.NaN) / seconds) * 100)
      return {
        figures: {
          rssMb: round(treeRssMb(worker.pid) ?? Number.NaN),
          cpuPercent: percent('worker'),
          ...(peer.serverPid !== undefined && {
            serverCpuPercent: percent('server'),
            serverRssMb: round(treeRssMb(peer.serverPid) ?? Number.NaN),
          }),
        },
        load,
      }
    })
  },
}
