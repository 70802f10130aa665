import type { TaskOptions } from '@headrace/engine'
import type { z } from 'zod'

type InputSchema<Input> = NonNullable<TaskOptions<Input, unknown>['input']>

/**
 * A zod schema whose checks are asynchronous, as a task's input schema. Zod's own Standard Schema tries a synchronous parse
 * first, and would read a large area twice.
 */
export function asynchronous<Schema extends z.ZodType>(schema: Schema): InputSchema<z.output<Schema>> {
  const standard = schema['~standard']
  return {
    '~standard': {
      ...standard,
      async validate(value: unknown) {
        const { success, data, error } = await schema.safeParseAsync(value)
        return success ? { value: data } : { issues: error.issues }
      },
    },
  }
}
