import { appendFileSync } from 'node:fs'
import processOf from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { program } from '../../executor/executor.ts'
import { task } from '../../task/task.ts'
import { type AnyTask, workflow } from '../../task/workflow.ts'

/** What the tasks of the crash tests do in one process. */
export type Process = {
  readonly name: string
  /** A task tells that it has begun. */
  begun(task: string): void
  /** Resolves when the test lets tasks of this process go on. */
  goOn(): Promise<void>
}

const FILL_MEMORY = 'const rows = []; for (;;) rows.push(new Array(10_000).fill(rows.length))'

export type Tasks = ReturnType<typeof crashTasks>

/** The same tasks in every process of a crash test, each knowing where it runs. */
export function crashTasks(process: Process) {
  const whoami = task({ name: 'whoami', run: () => process.name })
  const nap = task({
    name: 'nap',
    run: async (ms: number, job) => {
      await sleep(ms, undefined, { signal: job.signal })
      return process.name
    },
  })
  const hold = task({
    name: 'hold',
    graceMs: 0,
    run: async () => {
      process.begun('hold')
      await process.goOn()
      return process.name
    },
  })
  const block = task({
    name: 'block',
    run: (ms: number) => {
      process.begun('block')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
      return process.name
    },
  })
  /** Notes each execution of its step in a file, and then holds. */
  const survey = workflow({
    name: 'survey',
    run: async (notes: string, flow) => {
      const where = await flow.step('once', () => {
        appendFileSync(notes, `${process.name}\n`)
        return process.name
      })
      await flow.call(hold, null)
      return `${where} then ${process.name}`
    },
  })
  /** Takes its worker's process down with it. */
  const poison = task({
    name: 'poison',
    lapsesMax: 2,
    retry: { attempts: 100 },
    run: (how: 'exit' | 'kill') => {
      process.begun('poison')
      if (how === 'exit') processOf.exit(1)
      processOf.kill(processOf.pid, 'SIGKILL')
      return new Promise(() => {})
    },
  })
  /** Runs a program with little memory that wants ever more. */
  const glutton = task({
    name: 'glutton',
    run: program({ command: [processOf.execPath, '--max-old-space-size=16', '-e', FILL_MEMORY] }),
  })
  /** Two steps on one worker, the second of which holds. */
  const together = workflow({
    name: 'together',
    queue: 'flows',
    run: (onLost: 'fail' | 'restart', flow) =>
      flow.session('default', async (s) => [await s.call(whoami, null), await s.call(hold, null)], { onLost }),
  })
  const all: readonly AnyTask[] = [whoami, nap, hold, block, survey, poison, glutton, together]
  return { whoami, nap, hold, block, survey, poison, glutton, together, all }
}
