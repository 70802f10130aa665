import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Context } from './prepared.ts'

/** A process that has the store open. */
export type ProcessRow = {
  readonly id: number
  readonly host: string
  readonly pid: number
  readonly started: string
  readonly port: number
}

/** Whether a process lives, as far as one can tell from here: only on the same host. */
export type Liveness = (process: ProcessRow) => 'alive' | 'dead' | 'unknown'

/**
 * The processes that share the file. One that was killed is noticed by its pid, at once and without a lease: the kernel
 * knows. A pid that was given to another process is told apart by the time at which it was started.
 */
export class ProcessRegistry {
  readonly #context: Context
  readonly #liveness: Liveness
  #known = new Set<number>()
  #id: number | undefined

  constructor(context: Context, liveness: Liveness = livenessOnThisHost) {
    this.#context = context
    this.#liveness = liveness
  }

  /** This process's own number. */
  get id(): number {
    if (this.#id === undefined) throw new Error('the process was not registered')
    return this.#id
  }

  register(port: number): void {
    const self = thisProcess()
    const values = [self.host, self.pid, self.started, port, this.#context.clock.now()]
    this.#id = this.#context.sql.run('insertProcess', ...values).lastInsertRowid
    this.#known.add(this.#id)
  }

  unregister(): void {
    if (this.#id !== undefined) this.#context.sql.run('deleteProcess', this.#id)
  }

  /** Forgets the processes that have died. @returns their numbers */
  removeDead(): ReadonlySet<number> {
    const dead = new Set<number>()
    const rows = this.#context.sql.all<ProcessRow>('allProcesses')
    for (const row of rows) {
      if (row.id === this.#id || this.#liveness(row) !== 'dead') continue
      dead.add(row.id)
      this.#context.sql.run('deleteProcess', row.id)
    }
    this.#known = new Set(rows.map((row) => row.id).filter((id) => !dead.has(id)))
    return dead
  }

  /** Whether the number belonged to an open process at the last look. */
  isKnown(id: number): boolean {
    return this.#known.has(id)
  }

  others(): ProcessRow[] {
    return this.#context.sql
      .all<ProcessRow>('allProcesses')
      .filter((row) => row.id !== this.#id && row.host === hostId())
  }
}

export function livenessOnThisHost(row: ProcessRow): 'alive' | 'dead' | 'unknown' {
  if (row.host !== hostId()) return 'unknown'
  try {
    process.kill(row.pid, 0)
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'dead' : 'alive'
  }
  const started = startOf(row.pid)
  return started === '' || row.started === '' || started === row.started ? 'alive' : 'dead'
}

/** This process as it is registered. */
export function thisProcess(): { readonly host: string; readonly pid: number; readonly started: string } {
  return { host: hostId(), pid: process.pid, started: startOf(process.pid) }
}

let cachedHostId: string | undefined

// Two containers on one machine see different pids, so the pid namespace belongs to the host's name, and so does the
// boot: after a restart the same pids are others.
function hostId(): string {
  cachedHostId ??= [
    hostname(),
    readQuietly('/proc/sys/kernel/random/boot_id').trim(),
    linkQuietly('/proc/self/ns/pid'),
  ].join('/')
  return cachedHostId
}

/** The kernel's start time of a process (field 22 of /proc/PID/stat); empty where there is no /proc, and for a zombie 'Z'. */
function startOf(pid: number): string {
  const stat = readQuietly(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A killed child that its parent has not waited for yet answers to kill(pid, 0), but runs nothing any more.
  if (fields[0] === 'Z') return 'zombie'
  return fields[19] ?? ''
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // Not Linux, or the process is gone: then its start is unknown, and the lease decides.
    return ''
  }
}

function linkQuietly(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
