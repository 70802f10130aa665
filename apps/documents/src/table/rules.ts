import type { Binary } from '../image/binary.ts'

/** A drawn line: level ones run in x at `at` in y, upright ones the other way round. In pixels. */
export type Rule = { readonly at: number; readonly from: number; readonly to: number; readonly thickness: number }

export type Rules = { readonly level: readonly Rule[]; readonly upright: readonly Rule[] }

/** Where one picture has more, it is no table but a pattern or a photograph. */
const RUNS_MAX = 20_000

/**
 * The straight lines that are drawn on a page.
 * @param lengthMin a shorter one is part of a letter
 * @param thicknessMax a thicker one is a bar or a picture
 */
export function findRules(
  binary: Binary,
  { lengthMin, thicknessMax }: { readonly lengthMin: number; readonly thicknessMax: number },
): Rules {
  return {
    level: mergeRuns(runsOf(binary, 'level', lengthMin), thicknessMax),
    upright: mergeRuns(runsOf(binary, 'upright', lengthMin), thicknessMax),
  }
}

type Run = { readonly at: number; readonly from: number; readonly to: number }

/** Stretches of ink along one direction; a gap of two pixels is a flaw of the copy. */
function runsOf({ data, width, height }: Binary, direction: 'level' | 'upright', lengthMin: number): Run[] {
  const [lines, length, lineStep, step] = direction === 'level' ? [height, width, width, 1] : [width, height, 1, width]
  const runs: Run[] = []
  for (let line = 0; line < lines; line++) {
    let [from, last] = [-1, -1]
    for (let place = 0; place <= length; place++) {
      const isInk = place < length && data[line * lineStep + place * step] === 1
      if (isInk) {
        if (from < 0) from = place
        last = place
      } else if (from >= 0 && (place - last > 2 || place === length)) {
        if (last - from + 1 >= lengthMin) runs.push({ at: line, from, to: last + 1 })
        from = -1
      }
    }
    if (runs.length > RUNS_MAX) return []
  }
  return runs
}

/** Runs of neighbouring lines that lie side by side are one thick one. */
function mergeRuns(runs: readonly Run[], thicknessMax: number): Rule[] {
  type Open = { first: number; last: number; from: number; to: number }
  const done: Open[] = []
  let open: Open[] = []
  for (const run of runs) {
    const stillOpen = open.filter(({ last }) => run.at - last <= 2)
    done.push(...open.filter(({ last }) => run.at - last > 2))
    open = stillOpen
    const touching = open.find(({ from, to }) => run.from < to && run.to > from)
    if (touching) {
      touching.last = run.at
      touching.from = Math.min(touching.from, run.from)
      touching.to = Math.max(touching.to, run.to)
    } else open.push({ first: run.at, last: run.at, from: run.from, to: run.to })
  }
  return [...done, ...open]
    .map(({ first, last, from, to }) => ({ at: (first + last) / 2, from, to, thickness: last - first + 1 }))
    .filter(({ thickness, from, to }) => thickness <= thicknessMax && to - from > thickness * 4)
}
