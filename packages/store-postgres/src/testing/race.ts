import type { Claimed, Store, WorkerId } from '@headrace/engine'
import pg from 'pg'

/** Works off what is left in the queue `tiles`, each job with the result that is given. */
export async function drain(store: Store, result: string): Promise<void> {
  const worker = crypto.randomUUID() as WorkerId
  await store.addWorker({ id: worker, name: 'last', queues: { tiles: 100 }, leaseMs: 60_000 }, () => {})
  let settle: { lease: Claimed['lease']; outcome: 'succeeded'; result: string }[] = []
  do {
    const claim = [{ queue: 'tiles', slots: 100 }]
    const { claimed } = await store.commit({ worker, settle, advance: [], tell: [], claim })
    settle = claimed.map(({ lease }) => ({ lease, outcome: 'succeeded', result }))
  } while (settle.length > 0)
  await store.removeWorker(worker)
}

/** How many deadlocks the server has broken in this database. */
export async function deadlocks(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(
    'select deadlocks::int as n from pg_stat_database where datname = current_database()',
  )
  await client.end()
  return rows[0].n
}
