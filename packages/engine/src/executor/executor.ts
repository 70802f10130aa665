import type { Execute } from './execution.ts'
import { type ProcessExecutorOptions, processExecutor } from './process-executor.ts'
import { type ThreadExecutorOptions, threadExecutor } from './thread-executor.ts'

/** How a task's code is executed, where that is not a plain function in the worker's event loop. */
export interface Executor {
  readonly kind: 'thread' | 'process'
  readonly execute: Execute
}

/**
 * Runs a task in threads, for work that would keep the event loop busy; see {@link threadExecutor}.
 * @example task({ name: 'geo.count', run: thread({ module: new URL('./count.ts', import.meta.url) }) })
 */
export function thread(options: ThreadExecutorOptions): Executor {
  return { kind: 'thread', execute: threadExecutor(options) }
}

/**
 * Runs a task as a program of any language; see {@link processExecutor} for what the program is given and may say.
 * @example task({ name: 'train', run: program({ command: ['python3', 'train.py'] }) })
 */
export function program(options: ProcessExecutorOptions): Executor {
  return { kind: 'process', execute: processExecutor(options) }
}
