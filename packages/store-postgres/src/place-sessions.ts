import type { Work } from './context.ts'

/** A job in line, as far as a claim chooses by it. */
export type HeadRow = {
  readonly seq: number
  readonly lane: number
  readonly due_at: number
  readonly urgency: number
  readonly rank: number
  /** Of a job that belongs to one, and waits for no worker in particular. */
  readonly session?: number | null
}

/**
 * Of jobs that anybody may take, those that this worker may: of a session that nobody has, or that it has itself. One that
 * another worker has, of which a job was passed by when that was chosen, is given to it.
 */
export async function placeable({ tx }: Work, worker: number, heads: readonly HeadRow[]): Promise<readonly HeadRow[]> {
  const ids = [...new Set(heads.flatMap(({ session }) => session ?? []))]
  if (ids.length === 0) return heads
  type Row = { readonly id: number; readonly worker: number | null; readonly state: string }
  const rows = await tx.rows<Row>('lockSessionsToPlace', ids)
  const open = new Map(rows.filter(({ state }) => state === 'open').map((row) => [row.id, row.worker ?? worker]))
  const holderOf = ({ session }: HeadRow) => (session == null ? worker : open.get(session))
  const others = heads.flatMap((head) => {
    const pin = holderOf(head)
    return pin === undefined || pin === worker ? [] : [{ seq: head.seq, pin }]
  })
  if (others.length > 0) {
    tx.later(
      'pinJobs',
      others.map(({ seq }) => seq),
      others.map(({ pin }) => pin),
    )
  }
  return heads.filter((head) => holderOf(head) === worker)
}

/** These sessions are the worker's from now on, with all that lives of them. */
export function placeSessions({ tx }: Work, worker: number, sessions: readonly number[]): void {
  const ids = [...new Set(sessions)]
  if (ids.length === 0) return
  tx.later('placeSessions', ids, worker)
  tx.later('pinSessions', ids, worker)
}
