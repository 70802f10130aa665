import { readdirSync, readFileSync } from 'node:fs'

/** The kernel counts CPU time in hundredths of a second on every Linux that we know. */
const TICKS_PER_SECOND = 100

type ProcessTimes = { readonly parent: number; readonly cpuSeconds: number; readonly childrenCpuSeconds: number }

/** CPU seconds that a process and all that it started have used so far; undefined where there is no /proc. */
export function treeCpuSeconds(root: number): number | undefined {
  const all = allProcesses()
  const top = all?.get(root)
  if (all === undefined || top === undefined) return undefined
  // Those that have ended count with the root that has waited for them.
  let sum = top.childrenCpuSeconds
  for (const pid of tree(all, root)) sum += all.get(pid)?.cpuSeconds ?? 0
  return sum
}

/** Resident memory of a process and all that it started, in MB; pages that they share are counted once for each. */
export function treeRssMb(root: number): number | undefined {
  return treeMemoryMb(root, 'VmRSS')
}

/** The same at its height so far: the sum of the most that each process ever had. */
export function treePeakRssMb(root: number): number | undefined {
  return treeMemoryMb(root, 'VmHWM')
}

export type MachineTimes = { readonly busySeconds: number; readonly totalSeconds: number }

/** Of all cores together, since the machine was started. */
export function machineTimes(): MachineTimes | undefined {
  const line = readQuietly('/proc/stat')?.split('\n')[0]
  if (line === undefined) return undefined
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number)
  const total = ticks.reduce((a, b) => a + b, 0)
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0)
  return { busySeconds: (total - idle) / TICKS_PER_SECOND, totalSeconds: total / TICKS_PER_SECOND }
}

export function parentOf(pid: number): number | undefined {
  return timesOf(pid)?.parent
}

function treeMemoryMb(root: number, field: 'VmRSS' | 'VmHWM'): number | undefined {
  const all = allProcesses()
  return all && tree(all, root).reduce((sum, pid) => sum + (memoryMb(pid, field) ?? 0), 0)
}

function memoryMb(pid: number, field: string): number | undefined {
  const kib = readQuietly(`/proc/${pid}/status`)?.match(new RegExp(`^${field}:\\s+(\\d+)`, 'm'))?.[1]
  return kib === undefined ? undefined : (Number(kib) * 1_024) / 1e6
}

function allProcesses(): Map<number, ProcessTimes> | undefined {
  let names: string[]
  try {
    names = readdirSync('/proc')
  } catch {
    // Not Linux.
    return undefined
  }
  const all = new Map<number, ProcessTimes>()
  for (const name of names) {
    const times = /^\d+$/.test(name) ? timesOf(Number(name)) : undefined
    if (times !== undefined) all.set(Number(name), times)
  }
  return all
}

function tree(all: ReadonlyMap<number, ProcessTimes>, root: number): number[] {
  const found = all.has(root) ? [root] : []
  for (const parent of found) for (const [pid, times] of all) if (times.parent === parent) found.push(pid)
  return found
}

function timesOf(pid: number): ProcessTimes | undefined {
  const stat = readQuietly(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name before it stands in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const seconds = (user: number, system: number) => (Number(fields[user]) + Number(fields[system])) / TICKS_PER_SECOND
  return { parent: Number(fields[1]), cpuSeconds: seconds(11, 12), childrenCpuSeconds: seconds(13, 14) }
}

function readQuietly(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // It ended meanwhile, or this is not Linux.
    return undefined
  }
}
