import { machineTimes, treeCpuSeconds } from './processes.ts'

export type Load = {
  /** CPU seconds of each part of what was measured. */
  readonly cpuSeconds: Readonly<Record<string, number>>
  /** Of all cores, the share that others took meanwhile: above a tenth, a figure is worth less. */
  readonly otherCpuShare: number
}

/** Watches who uses the CPU from now on. @param parts root processes beside this one, by name */
export function watchLoad(parts: Readonly<Record<string, number | undefined>>): () => Load | undefined {
  const before = take(parts)
  return () => {
    const after = take(parts)
    if (before === undefined || after === undefined) return undefined
    const cpuSeconds: Record<string, number> = {}
    let ours = 0
    for (const [name, seconds] of Object.entries(after.cpuSeconds)) {
      const used = Math.max(0, seconds - (before.cpuSeconds[name] ?? seconds))
      cpuSeconds[name] = Number(used.toFixed(2))
      ours += used
    }
    const busy = after.machine.busySeconds - before.machine.busySeconds
    const total = after.machine.totalSeconds - before.machine.totalSeconds
    return { cpuSeconds, otherCpuShare: Number(Math.max(0, (busy - ours) / Math.max(0.01, total)).toFixed(2)) }
  }
}

function take(parts: Readonly<Record<string, number | undefined>>) {
  const machine = machineTimes()
  if (machine === undefined) return undefined
  const { user, system } = process.cpuUsage()
  const cpuSeconds: Record<string, number> = { producer: (user + system) / 1e6 }
  for (const [name, pid] of Object.entries(parts)) {
    const seconds = pid === undefined ? undefined : treeCpuSeconds(pid)
    if (seconds !== undefined) cpuSeconds[name] = seconds
  }
  return { machine, cpuSeconds }
}
