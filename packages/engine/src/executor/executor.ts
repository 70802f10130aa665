import type { Execute } from './execution.ts'
import type { ProcessExecutorOptions } from './process-executor.ts'
import type { ThreadExecutorOptions } from './thread-executor.ts'

/** How a task's code is executed, where that is not a plain function in the worker's event loop. */
export interface Executor {
  readonly kind: 'thread' | 'process'
  readonly execute: Execute
}

/**
 * Runs a task in threads, for work that would keep the event loop busy; see `threadExecutor`.
 * @example task({ name: 'geo.count', run: thread({ module: new URL('./count.ts', import.meta.url) }) })
 */
export function thread(options: ThreadExecutorOptions): Executor {
  const load = async () => (await import('./thread-executor.ts')).threadExecutor(options)
  return { kind: 'thread', execute: loadedAtFirstUse(load) }
}

/**
 * Runs a task as a program of any language; see `processExecutor` for what the program is given and may say.
 * @example task({ name: 'train', run: program({ command: ['python3', 'train.py'] }) })
 */
export function program(options: ProcessExecutorOptions): Executor {
  const load = async () => (await import('./process-executor.ts')).processExecutor(options)
  return { kind: 'process', execute: loadedAtFirstUse(load) }
}

/** What executes, with what it needs of Node, takes 3 MB of memory; a worker that was never asked for it does without. */
function loadedAtFirstUse(load: () => Promise<Execute>): Execute {
  let loaded: Promise<Execute> | undefined
  return async (request) => {
    loaded ??= load()
    const execute = await loaded
    return execute(request)
  }
}
