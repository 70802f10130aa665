import type { Json } from '../json.ts'
import { sha256 } from '../sha256.ts'
import type { AnyTask } from '../task/workflow.ts'
import { canonicalJson } from './canonical-json.ts'

/** What a task says of how long its results may be used again, and what they depend on besides its input. */
export type CacheOptions<Input> = {
  /** How long a result may stand for a new job, from its end. */
  readonly ttlMs: number
  /**
   * What the result depends on that is not in the input, such as the hashes of the layers that it reads. The input is given
   * as the schema reads it.
   */
  readonly dependencies?: (input: Input) => readonly string[] | Promise<readonly string[]>
  /** True: each owner has results of its own. Default false: whoever asks the same is given the same. */
  readonly perOwner?: boolean
}

/**
 * `use` (default): a result that is there is taken, and one that is being made is waited for. `refresh`: it is made anew,
 * and used by those who come later. `off`: as if the task had no cache.
 */
export type CacheMode = 'use' | 'refresh' | 'off'

export type CacheKeyParts = {
  readonly task: Pick<AnyTask, 'name' | 'version'>
  /** As it was given, so that nothing that the schema drops or a Map that JSON cannot hold makes two inputs one. */
  readonly input: unknown
  readonly dependencies: readonly string[]
  readonly owner?: string | undefined
}

/** Equal for two jobs exactly if one's result may stand for the other's. */
export function cacheKey({ task, input, dependencies, owner }: CacheKeyParts): string {
  const json = JSON.parse(JSON.stringify(input ?? null)) as Json
  const parts = [task.name, task.version ?? '1.0.0', json, [...dependencies].sort(), owner ?? null]
  return sha256(canonicalJson(parts))
}
