import { isDeepStrictEqual } from 'node:util'
import { StoreUnavailableError } from '../../errors.ts'
import type { Store, SweepResult } from '../../store/store.ts'
import type { OpenSimulated } from '../simulation.ts'

/** What both are asked. Of processes and machines each store tells its own. */
const ASKED = new Set<string | symbol>([
  ...['enqueue', 'commit', 'addWorker', 'removeWorker', 'sweep', 'cancel', 'cancelRequests', 'signal'],
  ...['releases', 'outcomes', 'history', 'states', 'outcome', 'queues', 'limits', 'purgeCache'],
  ...['job', 'jobs', 'steps', 'input', 'attempts', 'tree'],
  ...['put', 'pause', 'delete', 'get', 'list', 'due', 'fire'],
])

/**
 * Opens a store and its model together: whatever is asked of the one is asked of the other in the same instant, and both have to
 * give the same answer, the whole history at the end included.
 */
export function mirrored(openStore: OpenSimulated, openModel: OpenSimulated): OpenSimulated {
  const differences: string[] = []
  const open = async (process: Parameters<OpenSimulated>[0]) => {
    const [store, model] = [await openStore(process), await openModel(process)]
    const differ = (what: string) => differences.push(`same-as-model: ${process.name}: ${what}`)
    return mirroredStore({ store, model, differ, turns: new Turns(), isClosed: false })
  }
  return Object.assign(open, { differences: () => differences })
}

type Pair<T> = {
  readonly store: T
  readonly model: T
  readonly differ: (what: string) => void
  readonly turns: Turns
  /** From when it begins to close: how each answers until it has closed is its own affair, and neither is asked. */
  isClosed: boolean
}

function mirroredStore(pair: Pair<Store>): Store {
  const { store, model } = pair
  const schedules = mirroredCalls(pair, store.schedules, model.schedules)
  const dispose = async () => {
    if (pair.isClosed) return
    pair.isClosed = true
    const turn = pair.turns.draw()
    await store[Symbol.asyncDispose]()
    await pair.turns.comes(turn)
    await model[Symbol.asyncDispose]()
  }
  return mirroredCalls(pair, store, model, { schedules, [Symbol.asyncDispose]: dispose })
}

function mirroredCalls<T extends object>(pair: Pair<Store>, store: T, model: T, others: object = {}): T {
  return new Proxy(store, {
    get(_, key) {
      if (key in others) return Reflect.get(others, key)
      const value: unknown = Reflect.get(store, key, store)
      if (typeof value !== 'function') return value
      if (!ASKED.has(key)) return value.bind(store)
      return (...args: readonly unknown[]) => askBoth(pair, { store, model }, String(key), args)
    },
  })
}

async function askBoth(
  pair: Pair<Store>,
  { store, model }: { readonly store: object; readonly model: object },
  method: string,
  args: readonly unknown[],
): Promise<unknown> {
  if (pair.isClosed) throw new StoreUnavailableError(pair.store.name, 0, { cause: new Error('it closes') })
  const turn = pair.turns.draw()
  const answer = await answerOf(store, method, args)
  await pair.turns.comes(turn)
  // That a worker is lost is told to whoever runs it by the store alone.
  const expected = await answerOf(model, method, method === 'addWorker' ? [args[0], () => {}] : args)
  const [is, shouldBe] = [comparable(method, answer), comparable(method, expected)]
  if (!isDeepStrictEqual(is, shouldBe) || looksTooLate(method, answer, expected))
    pair.differ(`${method}(${short(args)}) gave ${short(is)}, and the model ${short(shouldBe)}`)
  if ('threw' in answer) throw answer.threw
  return answer.gave
}

/**
 * What a process asks its store of at once is done in the order in which it was asked, though the answers, each behind as many
 * promises as it takes, are heard in another one.
 */
class Turns {
  readonly #waiting: { readonly turn: number; readonly go: () => void }[] = []
  #drawn = 0

  draw(): number {
    return this.#drawn++
  }

  /** Resolves when no other answer is still to be heard of the same instant, in the order of the turns. */
  comes(turn: number): Promise<void> {
    return new Promise((go) => {
      if (this.#waiting.push({ turn, go }) > 1) return
      // It runs once all promises have come to rest.
      process.nextTick(() => {
        for (const { go } of this.#waiting.splice(0).sort((a, b) => a.turn - b.turn)) go()
      })
    })
  }
}

type Answer = { readonly gave: unknown } | { readonly threw: unknown }

async function answerOf(store: object, method: string, args: readonly unknown[]): Promise<Answer> {
  // The names of methods come from the store itself.
  const ask = Reflect.get(store, method, store) as (...args: readonly unknown[]) => Promise<unknown>
  try {
    return { gave: await ask.apply(store, [...args]) }
  } catch (threw) {
    return { threw }
  }
}

/** What is said, without what each may say in its own way: the order of a set, and hints. */
function comparable(method: string, answer: Answer): unknown {
  if ('threw' in answer) return { threw: (answer.threw as Error).name }
  const { gave } = answer
  if (gave instanceof Map) return [...gave].sort()
  const plain = gave === undefined ? undefined : (JSON.parse(JSON.stringify(gave)) as unknown)
  if (method === 'cancelRequests') return sorted(plain as readonly unknown[])
  if (method === 'sweep') {
    const { lostWorkers, returnedJobs, schedulesDue } = plain as SweepResult
    return { lostWorkers, returnedJobs, schedulesDue }
  }
  if (method === 'commit') {
    const commit = plain as { readonly released: readonly unknown[] }
    return { ...commit, released: sorted(commit.released) }
  }
  return plain
}

/** A store may have a worker look again for nothing, but not too late. */
function looksTooLate(method: string, answer: Answer, expected: Answer): boolean {
  if (method !== 'sweep' || 'threw' in answer || 'threw' in expected) return false
  const dueAt = ({ gave }: { readonly gave: unknown }) => (gave as SweepResult).nextDueAt ?? Number.POSITIVE_INFINITY
  return dueAt(answer) > dueAt(expected)
}

function sorted(values: readonly unknown[]): readonly unknown[] {
  return values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}
