import type { Hint } from '@headrace/engine'
import type { Call } from './connection/pipeline.ts'

/**
 * What one operation has others told right behind its transaction, before it knows how that went: by the time it has its
 * answer, they are at work. Such a hint may be false, and nothing depends on it.
 */
export class Ahead {
  readonly #callsFor: (hint: Hint) => readonly Call[]
  #told: Hint = {}

  constructor(callsFor: (hint: Hint) => readonly Call[]) {
    this.#callsFor = callsFor
  }

  /** @returns what the session is to send behind the transaction */
  tell(hint: Hint): readonly Call[] {
    const calls = this.#callsFor(hint)
    if (calls.length > 0) this.#told = hint
    return calls
  }

  /** What is still to be told of this; undefined: nothing. */
  rest({ queues, ended, events, ...others }: Hint): Hint | undefined {
    const [moreQueues, moreEnded] = [without(queues, this.#told.queues), without(ended, this.#told.ended)]
    const rest: Hint = {
      ...others,
      ...(moreQueues.length > 0 && { queues: moreQueues }),
      ...(moreEnded.length > 0 && { ended: moreEnded }),
      ...(events && !this.#told.events && { events }),
    }
    return Object.keys(rest).length > 0 ? rest : undefined
  }
}

function without<T>(all: readonly T[] = [], told: readonly T[] = []): readonly T[] {
  if (told.length === 0) return all
  const known = new Set(told)
  return all.filter((one) => !known.has(one))
}
