import { PgBoss } from 'pg-boss'

export const queues = ['noop', 'slow', 'chord', 'chain'] as const

/** Woken by notifications; nothing scheduled, nothing traced. */
export async function startBoss(url: string, connections: number, options: { supervise: boolean }): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: url,
    max: connections,
    useListenNotify: true,
    schedule: false,
    // How soon a child's end is taken account of; the shortest that it takes.
    flowIntervalSeconds: 1,
    ...options,
  })
  boss.on('error', (error) => console.error('pg-boss:', error.message))
  await boss.start()
  return boss
}
