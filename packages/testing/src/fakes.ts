import type { AnyTask, Flow, JobContext, Task, Workflow } from '@headrace/engine'

/** What stands in for a task or workflow. */
export type Fake<Input> = {
  /** The inputs that it was given, in order. */
  readonly calls: readonly Input[]
  /** The task runs its own code again. */
  restore(): void
}

export type FakeOf<T extends AnyTask> =
  T extends Workflow<infer Input, infer Output>
    ? { readonly input: Input; run(input: Input, flow: Flow): Promise<Output> }
    : T extends Task<infer Input, infer Output>
      ? { readonly input: Input; run(input: Input, job: JobContext): Output | Promise<Output> }
      : never

type Run = (input: unknown, context: unknown) => unknown

/** Which tasks run other code than their own, and how many steps of workflows run at this moment. */
export class Fakes {
  readonly #runs = new Map<string, Run>()
  /** Functions of `flow.step` that have begun and not ended. */
  stepsRunning = 0

  put(name: string, run: Run): Fake<unknown> {
    const calls: unknown[] = []
    const fake: Run = (input, context) => {
      calls.push(input)
      return run(input, context)
    }
    this.#runs.set(name, fake)
    const restore = () => {
      if (this.#runs.get(name) === fake) this.#runs.delete(name)
    }
    return { calls, restore }
  }

  /** The task as an engine is given it: what it runs is looked up each time. */
  wrap(task: AnyTask): AnyTask {
    if (task.kind === 'workflow') {
      return {
        ...task,
        run: (input: unknown, flow: Flow) => {
          const run = (this.#runs.get(task.name) ?? task.run) as typeof task.run
          return run(input, this.#counted(flow))
        },
      }
    }
    const wrapped = { ...task }
    // A getter, since what a task runs may be no function but an executor.
    Object.defineProperty(wrapped, 'run', { get: () => this.#runs.get(task.name) ?? task.run, enumerable: true })
    return wrapped
  }

  /** The clock stands still while code of a step runs. */
  #counted(flow: Flow): Flow {
    const step: Flow['step'] = (name, fn, options) =>
      flow.step(
        name,
        async (signal) => {
          this.stepsRunning++
          try {
            return await fn(signal)
          } finally {
            this.stepsRunning--
          }
        },
        options,
      )
    return new Proxy(flow, {
      get(target, key) {
        if (key === 'step') return step
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}
