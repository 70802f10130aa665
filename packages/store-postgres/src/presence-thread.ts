// Runs in a thread of its own; started by GuardedPresence.
import { parentPort, workerData } from 'node:worker_threads'
import type { PresenceRequest } from './guarded-presence.ts'
import { type PresencePlace, PresenceSession } from './presence-session.ts'

const port = parentPort
if (port === null) throw new Error('presence-thread.ts runs as a thread only')

const session = new PresenceSession(workerData as PresencePlace, (report) => port.postMessage(report))

port.on('message', (request: PresenceRequest) => {
  if (request === 'close') void session.close().then(() => port.close())
  else if ('letGo' in request) session.letGo(request.letGo)
  else session.keep(request.keep)
})

await session.start()
