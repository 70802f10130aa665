import { readFileSync } from 'node:fs'

/**
 * How many processes the kernel has killed for lack of memory in this process's control group (Linux, cgroup v2); 0 where
 * nothing counts them.
 */
export function oomKills(): number {
  try {
    const [, group = '/'] = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? []
    const events = readFileSync(`/sys/fs/cgroup${group === '/' ? '' : group}/memory.events`, 'utf8')
    return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0)
  } catch {
    // Another system, or a control group that cannot be seen from here.
    return 0
  }
}
