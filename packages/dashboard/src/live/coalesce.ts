/**
 * Gathers what arrives and hands it on at most once per `everyMs`: the first at once, so that a quiet page feels
 * immediate, and a burst of thousands as a few batches, so that a busy one does not freeze.
 */
export function coalesce<T>(everyMs: number, flush: (batch: readonly T[]) => void) {
  let batch: T[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  function hand() {
    timer = undefined
    if (batch.length === 0 || stopped) return
    const full = batch
    batch = []
    timer = setTimeout(hand, everyMs)
    flush(full)
  }

  return {
    push(item: T) {
      batch.push(item)
      // A macrotask rather than now: what arrived together goes together.
      timer ??= setTimeout(hand, 0)
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
