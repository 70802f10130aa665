import { z } from 'zod'

const PATTERN_LENGTH_MAX = 1_000
const PATTERNS_MAX = 100
const SCHEMA_LENGTH_MAX = 50_000

const Pattern = z
  .union([
    z.string().min(1).max(PATTERN_LENGTH_MAX),
    z.strictObject({
      pattern: z.string().min(1).max(PATTERN_LENGTH_MAX),
      flags: z
        .string()
        .regex(/^[ims]*$/)
        .optional(),
    }),
  ])
  .superRefine((value, context) => {
    const { pattern, flags } = patternOf(value)
    try {
      new RegExp(pattern, `${flags}u`)
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: `${JSON.stringify(pattern)} is no pattern: ${(error as Error).message}`,
      })
    }
  })

/** What is looked for in a document's text: patterns by name, or the properties of a JSON Schema by their labels. */
export const FieldsWish = z
  .strictObject({
    patterns: z
      .record(z.string().min(1).max(100), Pattern)
      .refine((patterns) => Object.keys(patterns).length <= PATTERNS_MAX, `at most ${PATTERNS_MAX} patterns`)
      .optional()
      .meta({
        title: 'Patterns',
        description:
          'A regular expression for each field; its first group is the value, or all of it where it has none.',
      }),
    schema: z
      .looseObject({ properties: z.record(z.string(), z.looseObject({})) })
      .refine((schema) => JSON.stringify(schema).length <= SCHEMA_LENGTH_MAX, 'the schema is too large')
      .optional()
      .meta({
        title: 'JSON Schema',
        description: 'Each property is looked for by its title, its name or one of its `labels`, and read as its type.',
      }),
  })
  .meta({ title: 'Fields', description: 'Values to look for in the text.' })

export type FieldsWish = z.infer<typeof FieldsWish>

export function patternOf(value: z.infer<typeof Pattern>): { readonly pattern: string; readonly flags: string } {
  return typeof value === 'string'
    ? { pattern: value, flags: 'i' }
    : { pattern: value.pattern, flags: value.flags ?? '' }
}
