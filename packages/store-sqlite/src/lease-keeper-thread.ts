// Runs in a thread of its own; started by ThreadLeaseKeeper.
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { type KeeperReport, type KeeperRequest, RENEWALS_PER_LEASE } from './lease-keeper.ts'
import { renewLease } from './statements.ts'

const port = parentPort
if (port === null) throw new Error('lease-keeper-thread.ts runs as a thread only')

const db = new DatabaseSync((workerData as { path: string }).path)
db.exec('pragma busy_timeout = 2000')
db.exec('pragma synchronous = normal')
const renewal = db.prepare(renewLease)
const timers = new Map<number, NodeJS.Timeout>()

port.on('message', (request: KeeperRequest) => {
  if (request === 'close') close()
  else if ('letGo' in request) letGo(request.letGo)
  else keep(request.keep, request.leaseMs)
})

function keep(worker: number, leaseMs: number): void {
  let renewedAt = performance.now()
  const everyMs = leaseMs / RENEWALS_PER_LEASE
  const renew = () => {
    try {
      if (renewal.run(Date.now() + leaseMs, worker).changes === 0) return lose(worker, 'its lease lapsed')
      renewedAt = performance.now()
    } catch (error) {
      // A worker that cannot renew stops itself before others take its jobs: the next try would come too late for that.
      const cause = (error as Error).message
      if (performance.now() - renewedAt + everyMs >= leaseMs)
        return lose(worker, `its lease could not be renewed: ${cause}`)
    }
  }
  timers.set(worker, setInterval(renew, everyMs))
  // Whoever kept it until now may have renewed it some time ago.
  renew()
}

function lose(worker: number, reason: string): void {
  letGo(worker)
  port?.postMessage({ lost: worker, reason } satisfies KeeperReport)
}

function letGo(worker: number): void {
  clearInterval(timers.get(worker))
  timers.delete(worker)
}

function close(): void {
  for (const worker of timers.keys()) letGo(worker)
  db.close()
  port?.close()
}
