import { type Amounts, amountsOf, lacking, type Resources, resourcesText } from './resources.ts'

/**
 * What decides which workers may take a job, besides its queue's settings. Jobs that agree in all of it share a lane,
 * and a worker matches whole lanes: no claim reads a job that it could not give out.
 */
export type LaneKey = {
  readonly queue: string
  readonly task: string
  /** Empty: none. */
  readonly deployment: string
  /** A sorted JSON array; empty: none. */
  readonly labels: string
  /** JSON with sorted keys; empty: nothing. */
  readonly needs: string
}

/** A lane as it is matched. */
export type LaneWants = {
  readonly task: string
  readonly deployment: string
  readonly labels: readonly string[]
  /** Undefined: nothing. */
  readonly needs: Resources | undefined
  readonly amounts: Amounts | undefined
}

/** What a job says of where it may run. */
export type Routed = {
  readonly queue: string
  readonly task: string
  readonly labels?: readonly string[]
  readonly needs?: Resources
}

export function laneOf({ queue, task, labels, needs }: Routed, deployment: string): LaneKey {
  const sorted = [...new Set(labels)].sort()
  return {
    queue,
    task,
    deployment,
    labels: sorted.length > 0 ? JSON.stringify(sorted) : '',
    needs: resourcesText(needs),
  }
}

export function readLane({ task, deployment, labels, needs }: Omit<LaneKey, 'queue'>): LaneWants {
  // Only laneOf writes these texts.
  const read = needs === '' ? undefined : (JSON.parse(needs) as Resources)
  return {
    task,
    deployment,
    labels: labels === '' ? [] : (JSON.parse(labels) as string[]),
    needs: read,
    amounts: read && amountsOf(read),
  }
}

/** What a worker is, as far as it decides what it may take. */
export type WorkerTraits = {
  /** Any, when left out. */
  readonly tasks?: readonly string[]
  readonly deployment?: string
  readonly labels?: readonly string[]
  /** Everything, when left out. */
  readonly offers?: Resources
}

/** Makes the question whether a worker may take the jobs of a lane, when all that it offers is free. */
export function laneMatcher({ tasks, deployment = '', labels, offers }: WorkerTraits): (lane: LaneWants) => boolean {
  const known = tasks && new Set(tasks)
  const own = new Set(labels)
  const all = offers && amountsOf(offers)
  return (lane) =>
    (known === undefined || known.has(lane.task)) &&
    lane.deployment === deployment &&
    lane.labels.every((label) => own.has(label)) &&
    (all === undefined || lane.amounts === undefined || lacking(all, lane.amounts).length === 0)
}

/** Which lanes a worker may take jobs of, chosen once for each queue and list of lanes. */
export class LaneChoice<Lane extends LaneWants> {
  readonly #fits: (lane: Lane) => boolean
  /** By queue, with the list that they were chosen from: whoever keeps the lanes makes a new list when one is added. */
  readonly #chosen = new Map<string, { readonly from: readonly Lane[]; readonly lanes: readonly Lane[] }>()

  constructor(traits: WorkerTraits) {
    this.#fits = laneMatcher(traits)
  }

  of(queue: string, from: readonly Lane[]): readonly Lane[] {
    const known = this.#chosen.get(queue)
    if (known?.from === from) return known.lanes
    const lanes = from.filter(this.#fits)
    this.#chosen.set(queue, { from, lanes })
    return lanes
  }
}
