import { setTimeout as sleep } from 'node:timers/promises'
import { task, workflow } from '@headrace/engine'
import { type BenchInput, type BenchResult, benchInput, benchResult } from '../payload.ts'
import { noteStart } from '../process/start-log.ts'

export const noop = task<BenchInput, BenchResult>({ name: 'bench.noop', run: (input) => benchResult(input.i) })

export const slow = task<{ readonly i: number; readonly ms: number }, BenchResult>({
  name: 'bench.slow',
  async run({ i, ms }) {
    noteStart(i)
    await sleep(ms)
    return benchResult(i)
  },
})

export const addOne = task<BenchInput, BenchResult>({ name: 'bench.step', run: (input) => benchResult(input.i + 1) })

export const chord = workflow<number, number>({
  name: 'bench.chord',
  async run(children, flow) {
    const inputs = Array.from({ length: children }, (_, i) => benchInput(i))
    const results = await flow.map(noop, inputs)
    return results.filter((result, i) => result.i === i).length
  },
})

export const chain = workflow<number, number>({
  name: 'bench.chain',
  async run(steps, flow) {
    let last = 0
    for (let step = 0; step < steps; step++) last = (await flow.call(addOne, benchInput(last))).i
    return last
  },
})

/** Waits for somebody's word. */
export const attentive = workflow<number, unknown>({ name: 'bench.attentive', run: (_, flow) => flow.waitFor('go') })

export const benchTasks = [attentive, noop, slow, addOne, chord, chain]
