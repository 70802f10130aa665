import type { Json } from '@headrace/engine'

/** One task's work: doubles a number after a while. */
export type Work = {
  readonly value: number
  readonly ms: number
  /** Its first attempt throws. */
  readonly isFlaky: boolean
}

export type Request =
  | { readonly task: 'work' | 'limited' | 'exclusive' | 'newest' | 'cached'; readonly input: Work }
  | { readonly task: 'sum'; readonly input: { readonly works: readonly Work[]; readonly concurrency: number } }
  | { readonly task: 'chain'; readonly input: { readonly value: number; readonly length: number } }
  | { readonly task: 'nest'; readonly input: { readonly sums: readonly (readonly Work[])[]; readonly sleepMs: number } }
  | { readonly task: 'approval'; readonly input: { readonly value: number } }
  | { readonly task: 'booking'; readonly input: { readonly value: number } }

/** What the root job of a request ends with, if its workers are not lost too often; undefined: it fails. */
export function expectedResult({ task, input }: Request): Json | undefined {
  switch (task) {
    case 'work':
    case 'limited':
    case 'exclusive':
    case 'newest':
    case 'cached':
      return input.value * 2
    case 'sum':
      return sumOf(input.works)
    case 'chain':
      return input.value * 2 ** input.length
    case 'nest':
      return input.sums.map(sumOf)
    case 'approval':
      return { approved: input.value }
    case 'booking':
      return undefined
  }
}

function sumOf(works: readonly Work[]): number {
  return works.reduce((sum, { value }) => sum + value * 2, 0)
}

/** Draws the nth request of a submitter. */
export function drawRequest(random: () => number): Request {
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1))
  const work = (): Work => ({ value: between(1, 99), ms: between(0, 400), isFlaky: random() < 0.15 })
  const works = (most: number) => Array.from({ length: between(1, most) }, work)
  const limits = ['limited', 'exclusive', 'newest', 'cached'] as const
  const tasks = ['work', ...limits, 'sum', 'sum', 'chain', 'nest', 'approval', 'booking'] as const
  const task = tasks[between(0, tasks.length - 1)] ?? 'work'
  switch (task) {
    case 'work':
    case 'limited':
    case 'exclusive':
    case 'newest':
      return { task, input: work() }
    case 'cached':
      // Few inputs, so that most of them are asked for while somebody is at them, or just was.
      return { task, input: { value: between(1, 3), ms: 150, isFlaky: false } }
    case 'sum':
      return { task, input: { works: works(8), concurrency: between(1, 4) } }
    case 'chain':
      return { task, input: { value: between(1, 9), length: between(1, 5) } }
    case 'nest':
      return { task, input: { sums: [works(3), works(3)], sleepMs: between(0, 1_000) } }
    case 'approval':
    case 'booking':
      return { task, input: { value: between(1, 99) } }
  }
}
