import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os'
import { join } from 'node:path'

export type Machine = {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  /** Median time of one small `fdatasync` in the folder that the benches write to. */
  readonly fdatasyncMs: number
}

export function aboutMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()}`,
    node: process.version,
    fdatasyncMs: fdatasyncMs(),
  }
}

/** The folder for everything that a bench writes: on the disk that is to be measured. */
export function benchFolder(prefix: string): string {
  return mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), `headrace-bench-${prefix}-`))
}

function fdatasyncMs(): number {
  const folder = benchFolder('disk')
  const file = openSync(join(folder, 'probe'), 'w')
  const times: number[] = []
  for (let i = 0; i < 50; i++) {
    writeSync(file, Buffer.alloc(4_096, i))
    const start = performance.now()
    fdatasyncSync(file)
    times.push(performance.now() - start)
  }
  closeSync(file)
  rmSync(folder, { recursive: true, force: true })
  return Number((times.sort((a, b) => a - b)[25] ?? Number.NaN).toFixed(3))
}
