import { task, workflow } from '@headrace/engine'
import { type BenchInput, type BenchResult, benchInput, benchResult } from '../payload.ts'

export const noop = task<BenchInput, BenchResult>({ name: 'bench.noop', run: (input) => benchResult(input.i) })

const addOne = task<BenchInput, BenchResult>({ name: 'bench.step', run: (input) => benchResult(input.i + 1) })

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

export const benchTasks = [noop, addOne, chord, chain]
