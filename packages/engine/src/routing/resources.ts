/**
 * What a job needs of its worker's machine while it runs, or what a worker offers in all. The numbers are agreements,
 * which nobody enforces: they keep jobs from being put together that do not go together.
 * @example { cpu: 2, memoryMb: 8_000, slots: { licence: 1 } }
 */
export type Resources = {
  /** Cores; a half is one too. */
  readonly cpu?: number
  readonly memoryMb?: number
  readonly gpuMemoryMb?: number
  /** Of whatever else there is a number of, by a name of yours. */
  readonly slots?: Readonly<Record<string, number>>
}

/** The same, flat: a resource by its name, that of a slot behind `slots.`. */
export type Amounts = Readonly<Record<string, number>>

/** Sums of fractions come out a little beside the point. */
const TOLERANCE = 1e-9

export function amountsOf({ slots = {}, ...plain }: Resources): Amounts {
  const named = Object.entries(slots).map(([name, amount]) => [`slots.${name}`, amount])
  return Object.fromEntries([...Object.entries(plain), ...named])
}

/** One text for whatever is the same: as a part of a lane. Empty: nothing. */
export function resourcesText(resources: Resources | undefined): string {
  const { cpu, gpuMemoryMb, memoryMb, slots = {} } = resources ?? {}
  const names = Object.keys(slots).sort()
  const sorted = names.length > 0 ? Object.fromEntries(names.map((name) => [name, slots[name]])) : undefined
  const text = JSON.stringify({ cpu, gpuMemoryMb, memoryMb, slots: sorted })
  return text === '{}' ? '' : text
}

/** The resources of which there is not enough. */
export function lacking(free: Amounts, needs: Amounts): string[] {
  return Object.keys(needs).filter((name) => (free[name] ?? 0) + TOLERANCE < (needs[name] ?? 0))
}

export function plus(amounts: Amounts, more: Amounts): Amounts {
  const sum: Record<string, number> = { ...amounts }
  for (const [name, amount] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + amount
  return sum
}

export function minus(amounts: Amounts, less: Amounts): Amounts {
  return plus(amounts, Object.fromEntries(Object.entries(less).map(([name, amount]) => [name, -amount])))
}
