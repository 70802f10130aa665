// A worker or a submitter of the campaign, to be killed: campaign-process.ts <role as JSON>.
import { openLedger } from '../ledger.ts'
import { openStore } from '../place/open-store.ts'
import type { Role } from './role.ts'
import { runSubmitter } from './submitter.ts'
import { runWorker } from './worker.ts'

// The argument is what the campaign wrote.
const role = JSON.parse(process.argv[2] ?? '{}') as Role
// Without the campaign there is nothing left to do.
process.on('disconnect', () => process.exit(3))

const store = await openStore(role.store)
const note = openLedger(role.ledger, `${role.name}-${process.pid}`)
if (role.kind === 'worker') await runWorker(role, store, note)
else await runSubmitter(role, store, note)
await store[Symbol.asyncDispose]()
process.exit(0)
