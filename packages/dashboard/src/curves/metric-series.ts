import type { WireEvent } from '@headrace/wire'

/** By name, in the order in which names first appeared; each by step. */
export type MetricSeries = ReadonlyMap<string, Series>
export type Series = { readonly steps: readonly number[]; readonly values: readonly number[] }

/** The series with what metric events add. A step told again, as after a crash, replaces what it said before. */
export function withPoints(series: MetricSeries, events: readonly WireEvent[]): MetricSeries {
  if (events.length === 0) return series
  const after = new Map(series)
  const byName = Map.groupBy(events, (event) => String(event.data.name))
  for (const [name, told] of byName) after.set(name, extended(after.get(name), told))
  return after
}

function extended(before: Series | undefined, events: readonly WireEvent[]): Series {
  const steps = before ? [...before.steps] : []
  const values = before ? [...before.values] : []
  for (const { data } of events) {
    const { step, value } = data
    if (typeof step !== 'number' || typeof value !== 'number') continue
    // From the end: points come in order, all but a few.
    let place = steps.length
    while (place > 0 && (steps[place - 1] ?? 0) > step) place--
    if (place > 0 && steps[place - 1] === step) values[place - 1] = value
    else {
      steps.splice(place, 0, step)
      values.splice(place, 0, value)
    }
  }
  return { steps, values }
}
