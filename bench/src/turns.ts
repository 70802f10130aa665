import { setTimeout as sleep } from 'node:timers/promises'

/** What has been left behind (a dropped database, a closed file) is done with before the next one is measured. */
const REST_MS = 300

/** What came of one contender: its runs as far as they went, and the error that ended them. */
export type Turns<Run> = { readonly runs: readonly Run[]; readonly error?: Error }

/**
 * Measures contenders by turns, so that whatever else the machine does falls on all of them alike. Who fails is not measured
 * again, and neither is who took longer than `slowMs` says: its rate is steady, and time is short.
 */
export async function byTurns<Contender, Run>(
  contenders: readonly Contender[],
  { runs, slowMs }: { readonly runs: number; readonly slowMs: (contender: Contender) => number },
  measure: (contender: Contender, run: number) => Promise<Run>,
): Promise<ReadonlyMap<Contender, Turns<Run>>> {
  const all = new Map<Contender, Turns<Run>>(contenders.map((one) => [one, { runs: [] }]))
  const slow = new Set<Contender>()
  for (let run = 1; run <= runs; run++) {
    for (const [contender, turns] of all) {
      if (turns.error !== undefined || slow.has(contender)) continue
      const start = performance.now()
      all.set(contender, await oneMore(turns, () => measure(contender, run)))
      if (performance.now() - start > slowMs(contender)) slow.add(contender)
      await sleep(REST_MS)
    }
  }
  return all
}

async function oneMore<Run>(turns: Turns<Run>, measure: () => Promise<Run>): Promise<Turns<Run>> {
  try {
    return { runs: [...turns.runs, await measure()] }
  } catch (error) {
    return { ...turns, error: error instanceof Error ? error : new Error(String(error)) }
  }
}
