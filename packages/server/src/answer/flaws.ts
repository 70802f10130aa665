import type { z } from 'zod'
import { type Flaw, pointerOf } from '../problem/http-problem.ts'

/** zod's issues as flaws; each unknown field is one of its own, so that each can be pointed at. */
export function flawsOfIssues(issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[]): readonly Flaw[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path]
    if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerOf(path), detail: issue.message }]
    return issue.keys.map((key) => ({ pointer: pointerOf([...path, key]), detail: 'There is no such field.' }))
  })
}
