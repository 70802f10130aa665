// Start-time fair queueing (Goyal, Vin, Cheng 1996): each job of an owner begins, in virtual time, where the one before it
// ended, or where the queue is by now. An owner of weight 2 pays half for each, and so gets twice as many.

/** What a job of weight 1 costs its owner, in virtual time. */
const COST = 10_000

/** @param share the owner's virtual time, after all that it has in line already */
export function fairRank(queueVtime: number, share: { readonly vtime: number; readonly weight: number }) {
  const rank = Math.max(queueVtime, share.vtime)
  return { rank, shareVtime: rank + Math.max(1, Math.round(COST / share.weight)) }
}
